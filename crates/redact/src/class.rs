//! Kinds of what is redacted, and the set of them that a tenant chose.

use serde::{Deserialize, Serialize};

/// A kind of text that must not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Keys, tokens, passwords: whoever has them may act.
    Secrets,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Numbers of payment cards, and their check values.
    Card,
    /// International bank account numbers.
    Iban,
    /// Numbers that a state gives to a person.
    NationalId,
    /// Postal addresses, from the street to the town.
    Address,
    /// Dates of birth, where the text says that they are.
    BirthDate,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 8] = [
        Class::Secrets,
        Class::Email,
        Class::Phone,
        Class::Card,
        Class::Iban,
        Class::NationalId,
        Class::Address,
        Class::BirthDate,
    ];

    /// The word in configuration and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::Secrets => "secrets",
            Class::Email => "email",
            Class::Phone => "phone",
            Class::Card => "card",
            Class::Iban => "iban",
            Class::NationalId => "national_id",
            Class::Address => "address",
            Class::BirthDate => "birth_date",
        }
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of classes. In configuration it is a list of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Class>", into = "Vec<Class>")]
pub struct Classes(u16);

impl Classes {
    /// Nothing is redacted.
    pub const NONE: Classes = Classes(0);

    /// Every class.
    #[must_use]
    pub fn all() -> Self {
        Class::ALL.into_iter().collect()
    }

    /// This set and one class more.
    #[must_use]
    pub fn with(self, class: Class) -> Self {
        Classes(self.0 | class.bit())
    }

    /// Whether a class is in the set.
    #[must_use]
    pub fn contains(self, class: Class) -> bool {
        self.0 & class.bit() != 0
    }
}

impl Default for Classes {
    /// What a tenant has who chose nothing.
    fn default() -> Self {
        Classes::all()
    }
}

impl FromIterator<Class> for Classes {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Self {
        classes.into_iter().fold(Classes::NONE, Classes::with)
    }
}

impl From<Vec<Class>> for Classes {
    fn from(classes: Vec<Class>) -> Self {
        classes.into_iter().collect()
    }
}

impl From<Classes> for Vec<Class> {
    fn from(classes: Classes) -> Self {
        Class::ALL.into_iter().filter(|class| classes.contains(*class)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_a_list_of_names_in_configuration() {
        let set: Classes = serde_json::from_str(r#"["email","card"]"#).unwrap();
        assert!(set.contains(Class::Email) && set.contains(Class::Card));
        assert!(!set.contains(Class::Secrets));
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["email","card"]"#);
        assert!(Classes::default().contains(Class::Address));
    }
}
