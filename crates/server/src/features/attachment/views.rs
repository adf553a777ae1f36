//! JSON shapes of attachments.

use serde::Serialize;
use tongqu_domain::time::instant_text;
use utoipa::ToSchema;

use super::store::AttachmentRow;

/// What an attachment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentKind {
    /// 盖章申请表: a form with a seal on it. Spec: YC-29.2, PDS-12.
    SealedForm,
    /// 协议.
    Agreement,
    /// 会商纪要.
    Minutes,
    /// 证明材料.
    Proof,
    /// 书面报告. Spec: TP-21a, LY-15.
    WrittenReport,
    /// 法律法规依据.
    LegalBasis,
}

impl AttachmentKind {
    /// Every value.
    pub const ALL: &'static [Self] = &[
        Self::SealedForm,
        Self::Agreement,
        Self::Minutes,
        Self::Proof,
        Self::WrittenReport,
        Self::LegalBasis,
    ];

    /// The code in stores and interfaces.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SealedForm => "sealed_form",
            Self::Agreement => "agreement",
            Self::Minutes => "minutes",
            Self::Proof => "proof",
            Self::WrittenReport => "written_report",
            Self::LegalBasis => "legal_basis",
        }
    }

    /// The Chinese label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SealedForm => "盖章表单",
            Self::Agreement => "协议",
            Self::Minutes => "会商纪要",
            Self::Proof => "证明材料",
            Self::WrittenReport => "书面报告",
            Self::LegalBasis => "法律法规依据",
        }
    }

    /// The value with this code; `None` if there is none.
    #[must_use]
    pub fn find(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// An uploaded file.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentView {
    pub attachment_id: String,
    /// `sealed_form`, `agreement`, `minutes`, `proof`, `written_report` or `legal_basis`.
    pub kind: String,
    pub kind_name: String,
    /// File name as uploaded.
    pub name: String,
    /// By the content: `application/pdf`, `application/ofd`, `image/jpeg` or `image/png`.
    pub content_type: String,
    pub bytes: u64,
    /// SHA-256 of the bytes, hexadecimal.
    pub digest: String,
    pub department_id: String,
    pub uploaded_by_name: String,
    /// Instant.
    pub at: String,
    /// The case that it belongs to; absent until a step has taken it.
    pub case_id: Option<String>,
}

impl AttachmentView {
    /// An attachment with the name of whoever uploaded it.
    pub(super) fn of(row: &AttachmentRow, uploaded_by_name: String) -> Self {
        Self {
            attachment_id: row.id.to_string(),
            kind: row.kind.code().to_owned(),
            kind_name: row.kind.label().to_owned(),
            name: row.name.clone(),
            content_type: row.content_type.clone(),
            bytes: row.bytes,
            digest: row.digest.clone(),
            department_id: row.department_id.to_string(),
            uploaded_by_name,
            at: instant_text(row.at),
            case_id: row.used_by_case.as_ref().map(ToString::to_string),
        }
    }
}
