//! What each template answers to the same questions, and how a verdict is explained. The
//! answers are in `judged/`; `BLESS=1` writes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use engine::ports::Policy as _;
use policy::{Asked, Policies, Posed, TEMPLATES, TenantSet, template};

const QUESTIONS: &str = include_str!("files/questions.yaml");

fn pose(text: &str) -> Posed {
    Asked::read(text, "question").unwrap().pose().unwrap()
}

#[test]
fn templates_answer_as_written() {
    for template in TEMPLATES {
        let policies = Policies::new(template.set(), BTreeMap::new());
        let mut answers = String::new();
        for line in QUESTIONS.lines().filter(|line| line.starts_with('{')) {
            let posed = pose(line);
            let judgement = policies.judge(&posed.question());
            let (by, why) = (judgement.by.join(", "), judgement.reasons.join("; "));
            let verdict = judgement.verdict.name();
            writeln!(answers, "{line}\n  {verdict} by {by}\n  {why}\n").unwrap();
            assert_eq!(policies.explain(&posed.question()).judgement, judgement);
        }
        crate::golden::check(&format!("judged/{}.txt", template.name), &answers);
    }
}

#[test]
fn an_explanation_tells_what_was_near() {
    let tenant = "policies: |\n  @id(\"inside\")\n  @reason(\"we publish nothing\")\n  \
                  forbid (principal, action == Action::\"tool.call\", resource)\n  \
                  when { resource.name like \"github__*\" }\n  \
                  unless { context has statement && context.statement == \"select\" };\n";
    let tenant = TenantSet::load(tenant, "acme").unwrap();
    let tenants = BTreeMap::from([(kernel::units::Tenant("acme".into()), tenant)]);
    let policies = Policies::new(template("full").unwrap().set(), tenants);
    let mut told = String::new();
    for question in [
        "{tool: bash, commands: [cargo], tenant: acme}",
        "{tool: sql_query, effect: read, statement: select, tenant: acme}",
        "{tool: github__create_issue, trust: elevated, tenant: acme, guard: ask}",
        "{action: approval.decide, tool: bash, user: olga, asked_by: ada}",
        "{action: audit.read, resource: all, role: operator}",
    ] {
        let explanation = policies.explain(&pose(question).question());
        writeln!(told, "{question}\n{explanation}").unwrap();
    }
    crate::golden::check("judged/explained.txt", &told);
}
