//! What kind of result a tool returns, as far as its name says: among figures and reviews an
//! order has no business, a page does not speak of its reader's answer, and in letters people
//! ask each other for things all day.

/// Where a result comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// Measurements, prices, reviews, entries: nothing that asks a reader to act.
    Figures,
    /// Pages and files that are written for nobody in particular.
    Pages,
    /// Letters, tickets and talk, and whatever a name does not tell.
    Letters,
}

/// Words in the names of tools that return figures and entries.
const FIGURES: &str = "\
    balance balances calc calculate calculator catalog clock convert currency definition \
    details dictionary directions doctors exchange flight flights forecast forex geocode \
    hotel hotels listing listings math metrics order orders places price prices product \
    products rates rating ratings restaurant restaurants review reviews stock stocks \
    timezone transactions tweets weather";

/// Words in the names of tools that return pages and files.
const PAGES: &str = "\
    bash browse browser cat crawl db documents drive fetch file files git google grep \
    http log logs note notes open page pdf query rag read readfile retrieve rss scrape \
    search sharepoint shell sql url visit web webpage website wiki wikipedia";

/// Words that make a letter of what the other words would call something else.
const LETTERS: &str = "\
    calendar channel channels chat code comment comments discord email emails event events \
    gmail inbox issue issues jira mail mails meeting message messages outlook pr pull slack \
    sms task tasks teams telegram thread ticket tickets todo transcript whatsapp zendesk";

impl Carrier {
    /// The kind that a tool's name tells.
    pub(super) fn of(tool: &str) -> Self {
        let words = words(tool);
        let any = |list: &str| list.split(' ').any(|known| words.iter().any(|word| word == known));
        if any(LETTERS) {
            Carrier::Letters
        } else if any(FIGURES) {
            Carrier::Figures
        } else if any(PAGES) {
            Carrier::Pages
        } else {
            Carrier::Letters
        }
    }
}

/// The words of a name, however it sets them apart.
fn words(tool: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(tool.len());
    let mut lower_before = false;
    for ch in tool.chars() {
        if ch.is_uppercase() && lower_before {
            spaced.push(' ');
        }
        lower_before = ch.is_lowercase();
        spaced.extend(ch.to_lowercase());
    }
    spaced.split(|ch: char| !ch.is_alphanumeric()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_kind_however_it_is_spelled() {
        for (tool, kind) in [
            ("get_weather", Carrier::Figures),
            ("AmazonGetProductReviews", Carrier::Figures),
            ("bank.transactions", Carrier::Figures),
            ("read_email", Carrier::Letters),
            ("gh_pr_review", Carrier::Letters),
            ("web_fetch", Carrier::Pages),
            ("GitHubReadFile", Carrier::Pages),
            ("", Carrier::Letters),
        ] {
            assert_eq!(Carrier::of(tool), kind, "{tool}");
        }
    }
}
