//! Who sits on a panel: binds the roles of a tier to models. Pure.
//!
//! Invariant: a seat that nobody can take is named, and a model that is not ready takes nobody's place.

use std::cmp::Reverse;

use conclave_core::candidate::{Origin, family_of};
use conclave_core::language::Language;
use conclave_core::record::Record;
use conclave_core::settings::{RoleModel, Settings};
use conclave_core::tier::{Mode, Role, Tier};
use conclave_core::weakness::Family;
use conclave_inference::catalogue;

use crate::models::Model;

/// How many seats of another family are asked first in [`Mode::Staged`].
const FIRST_WAVE: usize = 3;

/// A model as far as a panel cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its name in the settings.
    pub name: String,
    /// Models that err together.
    pub family: String,
    /// What it is good for.
    pub strengths: Vec<Role>,
    /// Roles that the settings give it for this finding, each with its place in the role's list.
    pub bound: Vec<(Role, usize)>,
    /// Whether it can be asked.
    pub is_ready: bool,
    /// What outcomes say for it, or against it, in such findings; see [`merit`].
    pub merit: i32,
}

/// What `record` says of fixes by `origin` against `family`: how much more often they are right than those of others of its
/// kind, in twentieths, so that little is nothing. Of a model without outcomes it says nothing.
pub(crate) fn merit(record: &Record, origin: &Origin, family: Family, language: Option<Language>) -> i32 {
    let prior = record.prior(origin, family, language);
    if prior.n == 0.0 { 0 } else { ((prior.p - record.mean(origin)) * 20.0) as i32 }
}

impl Member {
    pub fn of(model: &Model, settings: &Settings, language: Option<Language>, merit: i32) -> Self {
        let info = model.info();
        let known = catalogue::model(&info.model);
        let is_strength = |role: &Role| known.is_some_and(|entry| entry.strengths.iter().any(|id| id == role.id()));
        Self {
            name: info.name.clone(),
            family: family_of(&info.model),
            strengths: Role::ALL.into_iter().filter(is_strength).collect(),
            bound: bound(settings, &info.name, language),
            is_ready: model.missing().is_none(),
            merit,
        }
    }
}

/// The roles that the settings give the model `name` for code in `language`, each with its place in the role's list.
fn bound(settings: &Settings, name: &str, language: Option<Language>) -> Vec<(Role, usize)> {
    let speaks = |languages: &[Language]| languages.is_empty() || language.is_some_and(|l| languages.contains(&l));
    let place = |(role, models): (&Role, &Vec<RoleModel>)| {
        let place = models.iter().position(|bound| bound.model == name && speaks(&bound.languages))?;
        Some((*role, place))
    };
    settings.roles.iter().filter_map(place).collect()
}

impl Member {
    /// Whether the settings name it for `role`, or it is good at it.
    fn suits(&self, role: Role) -> bool {
        self.strengths.contains(&role) || self.bound.iter().any(|(bound, _)| *bound == role)
    }
}

/// One seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sitting {
    /// What for.
    pub role: Role,
    /// The model by its place among the members; `None` where nobody is left.
    pub member: Option<usize>,
    /// The number of the answer, where one model gives several.
    pub sample: u32,
    /// Whether it waits until the first have answered.
    pub second_wave: bool,
}

/// The role that weaknesses with these CWE numbers want first.
pub(crate) fn wanted(cwe: &[u32]) -> Option<Role> {
    let wants = |cwe: &u32| catalogue::strengths().iter().find(|strength| strength.cwe.contains(cwe));
    let id = cwe.iter().find_map(wants)?.id.as_str();
    Role::ALL.into_iter().find(|role| role.id() == id)
}

/// The seats of `tier` in its order. `members` stand in the order of preference; `wanted` chooses first.
pub(crate) fn seats(tier: &Tier, wanted: Option<Role>, members: &[Member]) -> Vec<Sitting> {
    let mut order: Vec<usize> = (0..tier.seats.len()).collect();
    order.sort_by_key(|seat| Some(tier.seats[*seat]) != wanted);
    let mut taken: Vec<Option<usize>> = vec![None; tier.seats.len()];
    if tier.mode == Mode::Samples {
        let role = wanted.or(tier.seats.first().copied());
        let best = role.and_then(|role| best(role, members, &[]));
        taken.fill(best);
    } else {
        // Who is good at something gets that seat before anybody fills one.
        for only_good in [true, false] {
            for &seat in order.iter().filter(|seat| only_good || taken[**seat].is_none()).collect::<Vec<_>>() {
                let seated: Vec<usize> = taken.iter().flatten().copied().collect();
                let role = tier.seats[seat];
                taken[seat] = best(role, members, &seated).filter(|index| !only_good || members[*index].suits(role));
            }
        }
    }
    let mut families: Vec<&str> = Vec::new();
    let mut sitting = Vec::with_capacity(taken.len());
    for ((role, member), index) in tier.seats.iter().zip(taken).zip(0..) {
        let family = member.map(|member| members[member].family.as_str());
        let is_first = family.is_some_and(|family| !families.contains(&family) && families.len() < FIRST_WAVE);
        families.extend(family.filter(|_| is_first));
        let second_wave = tier.mode == Mode::Staged && member.is_some() && !is_first;
        let sample = if tier.mode == Mode::Samples { index } else { 0 };
        sitting.push(Sitting { role: *role, member, sample, second_wave });
    }
    sitting
}

/// The ready member that sits best for `role` and not yet elsewhere: one that the settings name for it, one that is good
/// at it, one of a family that is not seated, one that was right more often, the one that is preferred.
fn best(role: Role, members: &[Member], seated: &[usize]) -> Option<usize> {
    let is_new = |member: &Member| !seated.iter().any(|other| members[*other].family == member.family);
    let free = members.iter().enumerate().filter(|(index, member)| member.is_ready && !seated.contains(index));
    let rank = |(index, member): &(usize, &Member)| {
        let bound = member.bound.iter().find(|(of, _)| *of == role).map_or(usize::MAX, |(_, place)| *place);
        (bound, !member.strengths.contains(&role), !is_new(member), Reverse(member.merit), *index)
    };
    free.min_by_key(rank).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use conclave_core::record::Outcome;
    use conclave_core::tier::Tiers;

    use super::*;

    fn member(name: &str, family: &str, strengths: &[Role]) -> Member {
        let (name, family) = (name.to_owned(), family.to_owned());
        Member { name, family, strengths: strengths.to_vec(), bound: Vec::new(), is_ready: true, merit: 0 }
    }

    /// Names in the order of the seats, `-` for an empty one, `+` before one of the second wave.
    fn names(sitting: &[Sitting], members: &[Member]) -> String {
        let name = |sitting: &Sitting| match sitting.member {
            Some(member) => format!("{}{}", if sitting.second_wave { "+" } else { "" }, members[member].name),
            None => "-".to_owned(),
        };
        sitting.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    fn six() -> Vec<Member> {
        vec![
            member("a", "x", &[Role::DeepReasoning, Role::PatternMatching]),
            member("b", "x", &[Role::PatternMatching]),
            member("c", "y", &[Role::Fast]),
            member("d", "z", &[Role::Logic]),
            member("e", "w", &[]),
            member("f", "y", &[]),
        ]
    }

    #[test]
    fn a_role_is_taken_by_who_is_good_at_it_and_no_model_sits_twice() {
        let tiers = Tiers::default();
        let members = six();
        for (tier, wanted, expect) in [
            (&tiers.critical, None, "a b d c e"),
            (&tiers.critical, Some(Role::PatternMatching), "e a d c b"),
            (&tiers.high, None, "a b c"),
            (&tiers.medium, Some(Role::Fast), "a c"),
        ] {
            assert_eq!(names(&seats(tier, wanted, &members), &members), expect, "{wanted:?}");
        }
    }

    #[test]
    fn a_seat_that_nobody_can_take_stays_and_is_counted() {
        let mut members = six();
        members.truncate(3);
        members[1].is_ready = false;
        let sitting = seats(&Tiers::default().critical, None, &members);
        assert_eq!(names(&sitting, &members), "a - - c -");
        assert_eq!(names(&seats(&Tiers::default().critical, None, &[]), &[]), "- - - - -");
    }

    #[test]
    fn the_persons_word_goes_before_what_is_known() {
        let mut members = six();
        members[5].bound = vec![(Role::DeepReasoning, 0)];
        members[4].bound = vec![(Role::DeepReasoning, 1), (Role::Fast, 0)];
        assert_eq!(names(&seats(&Tiers::default().critical, None, &members), &members), "f a d e b");
    }

    #[test]
    fn a_model_has_merit_by_its_own_outcomes_beside_those_of_its_kind() {
        let origin = |name: &str| Origin::Model {
            model: name.to_owned(),
            endpoint: "e".to_owned(),
            local: false,
            family: name.to_owned(),
        };
        let merits = |outcomes: &[(&str, bool)]| {
            let mut record = Record::default();
            for (name, right) in outcomes.iter().flat_map(|one| [one; 20]) {
                let (origin, family, language) = (origin(name), Family::Injection, Some(Language::Python));
                record.add(&Outcome { origin, family, language, right: *right, weight: 1.0, age_days: 0.0 });
            }
            ["a", "b", "new"]
                .map(|name| merit(&record, &origin(name), Family::Injection, Some(Language::Python)).signum())
        };
        assert_eq!(merits(&[]), [0, 0, 0]);
        assert_eq!(merits(&[("a", true), ("b", false)]), [1, -1, 0]);
        assert_eq!(merits(&[("a", true), ("b", true)])[2], 0, "what others were is no merit");
        assert_eq!(merits(&[("a", false), ("b", false)])[2], 0);
        // Right less often than others, although more often than was expected before anybody was known.
        assert_eq!(merits(&[("b", true), ("b", true), ("b", true), ("a", true), ("a", false)])[0], -1);
    }

    #[test]
    fn outcomes_decide_among_those_who_are_as_good_for_a_seat() {
        let mut members = six();
        let tiers = Tiers::default();
        let all = |members: &[Member]| names(&seats(&tiers.critical, None, members), members);
        assert_eq!(all(&members), "a b d c e");
        members[1].merit = 1;
        assert_eq!(all(&members), "a b d c e", "one sits already");
        members[5].merit = 2;
        assert_eq!(all(&members), "a b d c e", "c is good at it");
        members[2].strengths.clear();
        assert_eq!(all(&members), "a b d f e");
        members[5].merit = -1;
        assert_eq!(all(&members), "a b d c e");
    }

    #[test]
    fn a_role_of_a_language_is_for_that_language() {
        let text = r#"{ "roles": { "specialised": [{ "model": "j", "languages": ["java"] }, { "model": "p", "languages": ["python"] }, { "model": "x" }] } }"#;
        let settings: Settings = serde_json::from_str(text).unwrap();
        for (name, language, expect) in [
            ("j", Some(Language::Java), Some(0)),
            ("j", Some(Language::Python), None),
            ("p", Some(Language::Python), Some(1)),
            ("x", Some(Language::Python), Some(2)),
            ("x", None, Some(2)),
            ("j", None, None),
        ] {
            let found = bound(&settings, name, language);
            assert_eq!(found.first().map(|(_, place)| *place), expect, "{name} {language:?}");
        }
    }

    #[test]
    fn modes_change_who_is_asked_and_when() {
        let members = six();
        let with = |mode| Tier { mode, ..Tiers::default().critical };
        let samples = seats(&with(Mode::Samples), Some(Role::Logic), &members);
        assert_eq!(names(&samples, &members), "d d d d d");
        assert_eq!(samples.iter().map(|sitting| sitting.sample).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let staged = seats(&with(Mode::Staged), None, &members);
        assert_eq!(names(&staged, &members), "a +b d c +e");
    }

    #[test]
    fn the_kind_of_weakness_routes() {
        for (cwe, role) in [
            (287, Some(Role::DeepReasoning)),
            (89, Some(Role::PatternMatching)),
            (79, Some(Role::PatternMatching)),
            (362, Some(Role::Logic)),
            (327, Some(Role::Fast)),
            (787, Some(Role::Specialised)),
            (1, None),
        ] {
            assert_eq!(wanted(&[cwe]), role, "CWE-{cwe}");
        }
    }
}
