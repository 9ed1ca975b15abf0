//! Fields that take whatever stands there: what has the wrong type reads as absent, so that one slip of a scanner does
//! not cost a whole result.
//!
//! Invariant: a key that is written twice is still an error, because another reader may take the other value.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Visitor methods that read a value of the wrong type to its end.
macro_rules! pass_over {
    ($($kind:ident)*) => { $($crate::lenient::pass_over!(@$kind);)* };
    (@scalar) => {
        fn visit_bool<E: ::serde::de::Error>(self, _: bool) -> ::std::result::Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_unit<E: ::serde::de::Error>(self) -> ::std::result::Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (@number) => {
        fn visit_i64<E: ::serde::de::Error>(self, _: i64) -> ::std::result::Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_u64<E: ::serde::de::Error>(self, _: u64) -> ::std::result::Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_f64<E: ::serde::de::Error>(self, _: f64) -> ::std::result::Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (@text) => {
        fn visit_str<E: ::serde::de::Error>(self, _: &str) -> ::std::result::Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
    (@list) => {
        fn visit_seq<A: ::serde::de::SeqAccess<'de>>(self, mut list: A) -> ::std::result::Result<Self::Value, A::Error> {
            while list.next_element::<::serde::de::IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
    (@map) => {
        fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> ::std::result::Result<Self::Value, A::Error> {
            while map.next_entry::<::serde::de::IgnoredAny, ::serde::de::IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
}
pub(crate) use pass_over;

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Option<Cow<'a, str>>);

impl Text<'_> {
    /// The text, if there is one and it is not empty.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// A copy of the text, if there is one and it is not empty.
    pub(crate) fn owned(&self) -> Option<String> {
        self.get().map(str::to_owned)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }
            pass_over!(scalar number list map);
        }
        deserializer.deserialize_any(Texts)
    }
}

/// A number that may be written as a number or as a text; texts that are no numbers are kept too.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Number {
    /// Absent, null, or of another type.
    #[default]
    Absent,
    /// A finite number.
    Is(f64),
    /// A word such as `HIGH`.
    Word(String),
}

impl Number {
    /// The number, if there is one.
    pub(crate) fn get(&self) -> Option<f64> {
        if let Self::Is(number) = self { Some(*number) } else { None }
    }

    /// The number, if it is a whole one from 0 that an index can hold.
    pub(crate) fn index(&self) -> Option<usize> {
        self.get().filter(|n| n.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(n)).map(|n| n as usize)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Number, E> {
                Ok(Number::Is(n as f64))
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Number, E> {
                Ok(Number::Is(n as f64))
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Number, E> {
                Ok(Number::Is(n))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                let text = text.trim();
                Ok(match text.parse::<f64>() {
                    Ok(n) if n.is_finite() => Number::Is(n),
                    _ if text.is_empty() => Number::Absent,
                    _ => Number::Word(text.chars().take(32).collect()),
                })
            }
            pass_over!(scalar list map);
        }
        deserializer.deserialize_any(Numbers)
    }
}

/// A truth value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Truth(pub(crate) Option<bool>);

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Truths;
        impl<'de> Visitor<'de> for Truths {
            type Value = Truth;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }
            fn visit_bool<E: Error>(self, truth: bool) -> Result<Truth, E> {
                Ok(Truth(Some(truth)))
            }
            fn visit_unit<E: Error>(self) -> Result<Truth, E> {
                Ok(Truth(None))
            }
            pass_over!(number text list map);
        }
        deserializer.deserialize_any(Truths)
    }
}

/// An object of type `T`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Maybe<T>(pub(crate) Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Maybe<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Objects<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<T> {
            type Value = Maybe<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|object| Maybe(Some(object)))
            }
            pass_over!(scalar number text list);
        }
        deserializer.deserialize_any(Objects(PhantomData))
    }
}

/// The first `N` elements of a list; elements that are no `T` cannot happen, because every `T` here is lenient itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List<T, const N: usize> {
    /// The elements.
    pub(crate) items: Vec<T>,
    /// How many more there were.
    pub(crate) left_out: u32,
}

impl<T, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self { items: Vec::new(), left_out: 0 }
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for List<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lists<T, const N: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Lists<T, N> {
            type Value = List<T, N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut read = List::default();
                while read.items.len() < N {
                    match list.next_element()? {
                        Some(item) => read.items.push(item),
                        None => return Ok(read),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    read.left_out = read.left_out.saturating_add(1);
                }
                Ok(read)
            }
            pass_over!(scalar number text map);
        }
        deserializer.deserialize_any(Lists(PhantomData))
    }
}

/// The first `N` entries of an object whose keys are free.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Map<T, const N: usize>(pub(crate) Vec<(String, T)>);

impl<T, const N: usize> Default for Map<T, N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for Map<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Maps<T, const N: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Maps<T, N> {
            type Value = Map<T, N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut read: Vec<(String, T)> = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if read.len() == N {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    if read.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
                    }
                    let value = map.next_value()?;
                    read.push((key, value));
                }
                Ok(Map(read))
            }
            pass_over!(scalar number text list);
        }
        deserializer.deserialize_any(Maps(PhantomData))
    }
}
