//! The portal's files, built by `web/` and embedded in the binary.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

#[derive(rust_embed::RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Assets;

/// Hashed names never change their content.
const FOREVER: &str = "public, max-age=31536000, immutable";
const ALWAYS_ASK: &str = "no-cache";

/// Serves a file of the portal; any other path gives the portal's page, whose router takes over.
pub async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Assets::get(path) {
        let mime = mime_guess::from_path(path).first_or_octet_stream();
        let cache = if path.starts_with("assets/") {
            FOREVER
        } else {
            ALWAYS_ASK
        };
        return file_reply(file.data.into_owned(), mime.as_ref(), cache);
    }
    match Assets::get("index.html") {
        Some(page) => file_reply(
            page.data.into_owned(),
            "text/html; charset=utf-8",
            ALWAYS_ASK,
        ),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            "This build carries no portal: run `npm run build` in web/ and build again.",
        )
            .into_response(),
    }
}

fn file_reply(body: Vec<u8>, mime: &str, cache: &'static str) -> Response {
    let mut response = Body::from(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(mime) = mime.parse() {
        headers.insert(header::CONTENT_TYPE, mime);
    }
    response
}
