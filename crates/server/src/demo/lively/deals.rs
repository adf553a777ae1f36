//! What the departments want of each other, day by day: requests, doubts, disputes, checks, demands, and
//! what becomes of them.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::{
    super::{client::Client, county::PASSWORD, seed::text},
    Walk,
    data::{Deal, Turn},
};

/// Something that was begun.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    kind: Kind,
    /// Id of the request, the case, the demand or the finding.
    id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Case,
    Demand,
    Finding,
}

/// Purposes, in turn.
const PURPOSES: &[&str] = &[
    "admin_basis",
    "work_reference",
    "data_check",
    "business_collaboration",
];
/// How many data items are asked for beside the key.
const COLUMNS_MAX: usize = 6;

impl Walk<'_> {
    /// Everything of the story that happens on this day, in its order.
    pub(super) async fn deals_day(&mut self, day: u32) -> anyhow::Result<()> {
        self.mend_line()?;
        for n in 0..self.county.deals.len() {
            let deal = self.county.deals[n].clone();
            let said = || format!("{} of {} about {}", deal.kind, deal.by, deal.about);
            if deal.day == day {
                let begun = self.begin(n, &deal).await.with_context(said)?;
                self.begun[n] = Some(begun);
            }
            for turn in deal.then.iter().filter(|turn| turn.day == day) {
                let begun = self.begun[n].clone().with_context(said)?;
                self.turn(&deal, &begun, turn)
                    .await
                    .with_context(|| format!("{}: {}", said(), turn.verb.join(":")))?;
            }
        }
        Ok(())
    }

    async fn begin(&self, n: usize, deal: &Deal) -> anyhow::Result<Begun> {
        let who = self.session(&deal.by)?;
        match deal.kind.as_str() {
            "request" | "again" | "interface" => {
                let body = self.form(n, deal, who).await?;
                let filed = who.post("/requests", body).await?;
                Ok(Begun {
                    kind: Kind::Request,
                    id: text(&filed, "request_id")?,
                })
            }
            "demand" => {
                let asked = deal.then.first().filter(|turn| turn.by != deal.by);
                let asked = asked.and_then(|turn| self.works_in.get(&turn.by));
                let asked = asked.and_then(|department| self.departments.get(department));
                let body = json!({
                    "title": deal.about, "wanted": deal.text, "purpose": deal.text, "duty": deal.duty,
                    "level": "county", "asked_department_id": asked,
                });
                let stated = who.post("/demands", body).await?;
                Ok(Begun {
                    kind: Kind::Demand,
                    id: text(&stated, "demand_id")?,
                })
            }
            "issue" | "dismiss" => self.settle(deal, who).await,
            process => {
                let body = match self.shelves.entry_id(&deal.about) {
                    Some(entry) => json!({
                        "process_id": process, "subject": { "kind": "entry", "id": entry },
                        "title": deal.text, "facts": { "mode": "table" },
                    }),
                    None => json!({
                        "process_id": process, "subject": { "kind": "matter" }, "title": deal.about,
                    }),
                };
                let opened = who.post("/cases", body).await?;
                Ok(Begun {
                    kind: Kind::Case,
                    id: text(&opened, "case_id")?,
                })
            }
        }
    }

    /// What the authority makes of a finding about a request that is overdue.
    async fn settle(&self, deal: &Deal, who: &Client) -> anyhow::Result<Begun> {
        let requests: Vec<&str> = self
            .county
            .deals
            .iter()
            .zip(&self.begun)
            .filter(|(earlier, _)| earlier.about == deal.about)
            .filter_map(|(_, begun)| begun.as_ref())
            .map(|begun| begun.id.as_str())
            .collect();
        let drafts = who
            .get("/supervision/findings?state=draft&size=100")
            .await?;
        let of_these = |draft: &&Value| requests.iter().any(|id| draft["subject_id"] == **id);
        let found = drafts["items"]
            .as_array()
            .into_iter()
            .flatten()
            .find(of_these);
        let id = text(found.context("nothing was found about it")?, "finding_id")?;
        let body = match deal.kind.as_str() {
            "issue" => json!({ "text": deal.text }),
            _ => json!({ "reason": deal.text }),
        };
        who.post(&format!("/supervision/findings/{id}/{}", deal.kind), body)
            .await?;
        Ok(Begun {
            kind: Kind::Finding,
            id,
        })
    }

    /// The request as its department fills it in.
    async fn form(&self, n: usize, deal: &Deal, who: &Client) -> anyhow::Result<Value> {
        let entry_id = self
            .shelves
            .entry_id(&deal.about)
            .context("no such entry")?;
        let preview = who
            .get(&format!("/requests/preview?entry_id={entry_id}"))
            .await?;
        let content = &self.county.entry(&deal.about)?.content;
        let is_again = deal.kind == "again";
        let columns: Vec<&str> = content
            .items
            .iter()
            .filter(|i| i.key || !is_again || matches!(i.code.as_str(), "name" | "id_number"))
            .take(COLUMNS_MAX)
            .map(|i| i.code.as_str())
            .collect();
        let mode = if deal.kind == "interface" {
            "interface"
        } else {
            content.modes[0].as_str()
        };
        let system = self.works_in.get(&deal.by).map_or("", String::as_str);
        let mut body = json!({
            "entry_id": entry_id, "version_no": preview["version_no"], "mode": mode, "columns": columns,
            "purpose_kind": PURPOSES[n % PURPOSES.len()], "purpose": deal.text, "duty": deal.duty,
            "consumer_system": format!("{system}业务系统"), "term_months": 12, "undertaken": true,
        });
        if is_again {
            body["previous_request_id"] = preview["prefill"]["previous_request_id"].clone();
        }
        if deal.kind == "interface" {
            let printed = who.print("/requests/form.pdf", &body).await?;
            let kept = who
                .upload(
                    "/attachments?kind=sealed_form&name=application.pdf",
                    printed,
                )
                .await?;
            let id = text(&kept.body, "attachment_id")?;
            body["form"] = json!({ "seal_kind": "electronic_seal_online", "attachment_id": id });
        }
        Ok(body)
    }

    async fn turn(&mut self, deal: &Deal, begun: &Begun, turn: &Turn) -> anyhow::Result<()> {
        let who = self.person(&turn.by).await?;
        let words: Vec<&str> = turn.verb.iter().map(String::as_str).collect();
        let id = &begun.id;
        let reason = (!turn.text.is_empty()).then_some(turn.text.as_str());
        match (begun.kind, words.as_slice()) {
            (Kind::Request, [verdict @ ("approve" | "refuse")]) => {
                let revision = who.get(&format!("/requests/{id}")).await?["revision"].clone();
                let body = json!({ "verdict": verdict, "reason": reason, "revision": revision });
                who.post(&format!("/requests/{id}/decision"), body).await?;
            }
            (Kind::Request, ["deliver"]) => {
                let opened = who.press(&format!("/requests/{id}/delivery")).await?;
                let subscriptions = &mut self.exchange.subscriptions;
                let subscription = text(&opened, "subscription_id")?;
                subscriptions
                    .entry(deal.about.clone())
                    .or_insert(subscription);
            }
            (Kind::Request, ["withdraw"]) => {
                let body = json!({ "reason": reason });
                who.post(&format!("/requests/{id}/withdrawal"), body)
                    .await?;
            }
            (Kind::Request, ["urge"]) => {
                who.press(&format!("/requests/{id}/urging")).await?;
            }
            (Kind::Request, ["take", step, with @ ..]) => {
                let case = text(&who.get(&format!("/requests/{id}")).await?, "case_id")?;
                take(&who, &case, step, with, reason).await?;
            }
            (Kind::Request, ["grant", step, with @ ..]) => {
                let request = who.get(&format!("/requests/{id}")).await?;
                let case = text(&request["grant"], "life_case_id")?;
                take(&who, &case, step, with, reason).await?;
            }
            (Kind::Case, ["take", step, with @ ..]) => take(&who, id, step, with, reason).await?,
            (Kind::Case, ["pause", step]) => {
                let body = json!({ "reason": reason });
                who.post(&format!("/cases/{id}/steps/{step}/pause"), body)
                    .await?;
            }
            (Kind::Case, ["resume", step]) => {
                who.press(&format!("/cases/{id}/steps/{step}/resumption"))
                    .await?;
            }
            (Kind::Demand, ["reply", kind, entry @ ..]) => {
                let entry = entry.first().and_then(|name| self.shelves.entry_id(name));
                let revision = who.get(&format!("/demands/{id}")).await?["revision"].clone();
                let body = json!({ "kind": kind, "text": turn.text, "entry_id": entry, "revision": revision });
                who.post(&format!("/demands/{id}/answer"), body).await?;
            }
            (Kind::Demand, ["unwant"]) => {
                let revision = who.get(&format!("/demands/{id}")).await?["revision"].clone();
                let body = json!({ "revision": revision });
                who.post(&format!("/demands/{id}/withdrawal"), body).await?;
            }
            (kind, words) => bail!("nobody knows how to {words:?} a {kind:?}"),
        }
        Ok(())
    }

    /// Somebody's session; heads sign in when they are first needed.
    async fn person(&mut self, login: &str) -> anyhow::Result<Client> {
        if let Some(known) = self.sessions.get(login) {
            return Ok(known.clone());
        }
        let base = format!("http://{}", self.served.address);
        let client = Client::sign_in(&base, login, PASSWORD).await?;
        self.sessions.insert(login.to_owned(), client.clone());
        Ok(client)
    }
}

/// Takes a step. `with` holds `outcome=`, `ground=`, `days=` by which a limit is prolonged, and facts.
async fn take(
    who: &Client,
    case: &str,
    step: &str,
    with: &[&str],
    reason: Option<&str>,
) -> anyhow::Result<()> {
    let mut input = Map::new();
    let mut facts = Map::new();
    for word in with {
        let (name, value) = word
            .split_once('=')
            .with_context(|| format!("`{word}` says nothing"))?;
        match name {
            "outcome" | "ground" => {
                input.insert(name.to_owned(), json!(value));
            }
            "days" => {
                input.insert(
                    "extra_working_days".to_owned(),
                    json!(value.parse::<u32>()?),
                );
            }
            _ => {
                facts.insert(name.to_owned(), json!(value));
            }
        }
    }
    input.insert("reason".to_owned(), json!(reason));
    input.insert("facts".to_owned(), Value::Object(facts));
    let revision = who.get(&format!("/cases/{case}")).await?["revision"].clone();
    let body = json!({ "input": input, "revision": revision });
    who.post(&format!("/cases/{case}/steps/{step}"), body)
        .await?;
    Ok(())
}
