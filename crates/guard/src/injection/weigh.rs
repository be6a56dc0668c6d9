//! From signs to a score: signs of different families that stand together add up; what the
//! text is about, and where a sign stands in it, makes each weigh less or more.

use std::collections::{BTreeMap, BTreeSet};

use super::THRESHOLD_PERMILLE;
use super::carrier::Carrier;
use super::lexicon::LEXICON;
use super::readings::Reading;
use super::regions::Place;
use super::signs::{Clue, Found, Sign};
use super::wording::Stretch;

/// Signs this near each other belong together.
const TOGETHER_BYTES_MAX: usize = 1500;
/// Words about the kind of text count for signs this near.
const CLUE_BYTES_MAX: usize = 3000;
/// A sign lighter than this does not become heavier by being hidden.
const HIDDEN_WEIGHT_PERMILLE_MIN: u32 = 150;

/// Orders that people also give each other.
const AMONG_PEOPLE: [&str; 16] = [
    "override", "new_task", "approval", "act", "money", "danger", "judge", "hush", "policy",
    "standing", "wording", "preface", "hot", "taking", "recast", "money_to",
];
/// What is left of a score that rests on such orders alone.
const AMONG_PEOPLE_PERMILLE: u32 = 750;
/// What is left of it on a page, which is no letter.
const ON_PAGES_PERMILLE: u32 = 800;
/// Orders about the writer's own things say nothing in a letter.
const OF_LETTERS: &str = "mine";

/// What it adds that an order stands among figures.
const MISPLACED_PERMILLE: u32 = 420;
/// An order lighter than this may be part of an entry.
const MISPLACED_WEIGHT_PERMILLE_MIN: u32 = 180;
/// Families of orders that ask for a deed.
const DEEDS: [&str; 12] = [
    "act", "hot", "taking", "tool", "call", "money", "danger", "service", "mine", "money_to",
    "users", "order",
];

/// How much it counts beside the rules that a text is worded like an attack.
const WORDED_LIKE_IT: f64 = 2.0;
/// How much it counts that it is not.
const NOT_WORDED_LIKE_IT: f64 = 0.75;
/// From these odds on, joined, a text is called an attack.
const ODDS_MIN: f64 = -0.6;
/// The more stretches there are, the likelier one of them looks like an attack by chance.
const BY_CHANCE: f64 = 0.2;
/// From here on the rules need nothing else to agree.
const RULES_SURE_PERMILLE: u32 = 830;
/// Rules that saw nothing, or everything, may be wrong: so many per mille.
const RULES_DOUBT: f64 = 30.0;

/// What a disguise adds to the sign under it.
const DISGUISED_PERMILLE: u32 = 350;
/// What it adds that a sign stands where no reader sees it.
const UNSHOWN_PERMILLE: u32 = 400;
/// What it adds that a sign stands in a comment or an attribute.
const ASIDE_PERMILLE: u32 = 150;

/// A sign with its weight in its place.
pub(super) struct Weighed {
    /// The sign.
    pub(super) sign: Sign,
    permille: u32,
    extra: Option<(&'static str, u32)>,
}

impl Weighed {
    /// Whether it was found where the words of the plain reading say nothing.
    fn is_disguised(&self) -> bool {
        self.sign.odd || self.sign.reading != Reading::Plain || self.sign.family == "smuggling"
    }
}

/// Each sign weighed in its context, in order.
pub(super) fn weigh(found: &Found) -> Vec<Weighed> {
    let context = Context::new(found);
    let weighed = found.signs.iter().map(|sign| {
        let permille = sign.weight_permille * context.share_permille(sign) / 1000;
        let extra = context.extra(sign).filter(|_| permille >= HIDDEN_WEIGHT_PERMILLE_MIN);
        Weighed { sign: sign.clone(), permille, extra }
    });
    let mut weighed = weighed.collect::<Vec<_>>();
    weighed.sort_by_key(|one| (one.sign.start, one.sign.end));
    weighed
}

/// What a window is taken for.
pub(super) struct Judged {
    /// The score of its worst place, in per mille.
    pub(super) score_permille: u32,
    /// The stretches that are an attack by what they are worded like and the signs in them.
    pub(super) worded: Vec<Stretch>,
}

/// Judges the places of a window: what the rules say of each, joined with what it is worded
/// like.
pub(super) fn judge(weighed: &[Weighed], stretches: &[Stretch], carrier: Carrier) -> Judged {
    let groups = (0..weighed.len()).map(|first| Group::of(&weighed[first..], carrier));
    let groups = groups.collect::<Vec<_>>();
    let many = f64::from(u32::try_from(stretches.len().max(1)).unwrap_or(u32::MAX));
    let by_chance = BY_CHANCE * many.ln();
    let joined = stretches.iter().map(|stretch| {
        let near = groups.iter().filter(|group| group.is_near(stretch));
        let permille = near.map(|group| group.permille).max().unwrap_or_default();
        (stretch, joined_permille(permille, stretch.odds - by_chance))
    });
    let joined = joined.collect::<Vec<_>>();
    let alone = groups.iter().filter(|group| group.stands_alone() || stretches.is_empty());
    let all = joined.iter().map(|(_, permille)| *permille);
    let score_permille = all.chain(alone.map(|group| group.permille)).max().unwrap_or_default();
    let attack =
        |permille: u32, stretch: &Stretch| permille >= THRESHOLD_PERMILLE && stretch.odds > 0.0;
    let worded = joined.into_iter().filter(|(stretch, permille)| attack(*permille, stretch));
    Judged { score_permille, worded: worded.map(|(stretch, _)| *stretch).collect() }
}

/// A score of the rules and odds of the wording as one score.
fn joined_permille(permille: u32, odds: f64) -> u32 {
    let permille = f64::from(permille);
    let rules = ((permille + RULES_DOUBT) / (1000.0 + RULES_DOUBT - permille)).ln();
    let counts = if odds > 0.0 { WORDED_LIKE_IT } else { NOT_WORDED_LIKE_IT };
    let odds = rules + counts * odds - ODDS_MIN;
    let joined = 1000.0 / (1.0 + (-odds).exp());
    // In per mille and never negative: the cast only drops the fraction.
    joined as u32
}

/// Signs that stand together.
struct Group {
    start: usize,
    end: usize,
    permille: u32,
    disguised: bool,
}

impl Group {
    /// The signs that stand together with the first.
    fn of(from: &[Weighed], carrier: Carrier) -> Self {
        let start = from[0].sign.start;
        let reach = start + TOGETHER_BYTES_MAX;
        let inside = from.partition_point(|one| one.sign.start <= reach);
        let inside = &from[..inside];
        let end = inside.iter().map(|one| one.sign.end).max().unwrap_or(start);
        let disguised = inside.iter().any(Weighed::is_disguised);
        Group { start, end, permille: group_permille(inside, carrier), disguised }
    }

    /// Whether it is an attack however the text is worded.
    fn stands_alone(&self) -> bool {
        self.disguised || self.permille >= RULES_SURE_PERMILLE
    }

    fn is_near(&self, stretch: &Stretch) -> bool {
        self.start <= stretch.end && stretch.start <= self.end
    }
}

fn group_permille(group: &[Weighed], carrier: Carrier) -> u32 {
    let mut families: BTreeMap<&str, u32> = BTreeMap::new();
    for one in group {
        for (family, permille) in [(one.sign.family, one.permille)].into_iter().chain(one.extra) {
            let heaviest = families.entry(family).or_default();
            *heaviest = permille.max(*heaviest);
        }
    }
    if carrier == Carrier::Letters {
        families.remove(OF_LETTERS);
    }
    let deeds = DEEDS.iter().filter_map(|family| families.get(family).copied());
    let heaviest = deeds.max().unwrap_or_default();
    if carrier == Carrier::Figures && heaviest >= MISPLACED_WEIGHT_PERMILLE_MIN {
        families.insert("misplaced", MISPLACED_PERMILLE);
    }
    let harmless = families.values().fold(1000, |rest, permille| rest * (1000 - permille) / 1000);
    let to_agent = families.keys().any(|family| !AMONG_PEOPLE.contains(family));
    let share_permille = match carrier {
        Carrier::Figures => 1000,
        Carrier::Pages | Carrier::Letters if to_agent => 1000,
        Carrier::Pages => ON_PAGES_PERMILLE,
        Carrier::Letters => AMONG_PEOPLE_PERMILLE,
    };
    (1000 - harmless) * share_permille / 1000
}

struct Context<'a> {
    found: &'a Found,
    teach: Vec<Clue>,
    docs: Vec<Clue>,
    people: Vec<Clue>,
}

impl<'a> Context<'a> {
    fn new(found: &'a Found) -> Self {
        let of = |name: &str| {
            let concept = LEXICON.concept(name);
            let clues = found.clues.iter().filter(|clue| Some(clue.concept) == concept);
            clues.copied().collect::<Vec<_>>()
        };
        Context { found, teach: of("teach"), docs: of("docs"), people: of("people") }
    }

    fn is_in(&self, sign: &Sign, place: Place) -> bool {
        let regions = self.found.regions.iter().filter(|region| region.place == place);
        regions.into_iter().any(|region| region.holds(sign.start, sign.end))
    }

    fn extra(&self, sign: &Sign) -> Option<(&'static str, u32)> {
        if sign.odd || sign.reading != Reading::Plain {
            return Some(("disguise", DISGUISED_PERMILLE));
        }
        if self.is_in(sign, Place::Hidden) {
            return Some(("unshown", UNSHOWN_PERMILLE));
        }
        self.is_in(sign, Place::Aside).then_some(("unshown", ASIDE_PERMILLE))
    }

    /// How much of a sign's weight is left in its context.
    fn share_permille(&self, sign: &Sign) -> u32 {
        let apart = self.is_in(sign, Place::Quoted) || self.is_in(sign, Place::Code);
        let teaching = teaching_permille(distinct(&self.teach, sign), apart);
        let reported = if same_sentence(&self.teach, sign) { 400 } else { 1000 };
        let documented = documented_permille(distinct(&self.docs, sign), apart);
        let human = if same_sentence(&self.people, sign) { 400 } else { 1000 };
        let shown = match sign.family {
            "smuggling" => 1000,
            "override" | "new_task" => teaching.min(reported).min(human),
            "secrecy" | "authority" | "address" => teaching.min(reported),
            _ => teaching.min(reported).min(documented),
        };
        if self.is_in(sign, Place::Hidden) && !apart { shown.max(700) } else { shown }
    }
}

fn teaching_permille(terms: usize, apart: bool) -> u32 {
    match (terms, apart) {
        (0, _) => 1000,
        (1, false) => 900,
        (1, true) => 400,
        (2, false) => 700,
        (2, true) => 250,
        (3.., false) => 500,
        (3.., true) => 200,
    }
}

fn documented_permille(terms: usize, apart: bool) -> u32 {
    match (terms, apart) {
        (0, _) => 1000,
        (1, false) => 900,
        (2, false) => 750,
        (1, true) => 700,
        (3, false) => 600,
        (4.., false) | (2, true) => 450,
        (3.., true) => 350,
    }
}

/// How many different phrases stand near a sign. Clues come in the order of the text.
fn distinct(clues: &[Clue], sign: &Sign) -> usize {
    let first = clues.partition_point(|clue| clue.start + CLUE_BYTES_MAX < sign.start);
    let near = clues[first..].iter().take_while(|clue| clue.start <= sign.start + CLUE_BYTES_MAX);
    near.map(|clue| clue.phrase).collect::<BTreeSet<_>>().len()
}

fn same_sentence(clues: &[Clue], sign: &Sign) -> bool {
    let holds = |sentence| clues.binary_search_by_key(&sentence, |clue| clue.sentence).is_ok();
    sign.sentence.is_some_and(holds)
}
