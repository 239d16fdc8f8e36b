//! Turns what serde says of a value into a stream of events, from which keys are made.
//!
//! Both forms of a key, its digest and its bytes, are made from the same events by the one serializer of this module, so
//! that neither can tell less than the other. All that serde says is passed on: the [`Kind`] of each event, so that a
//! number of 32 bits is not one of 64 bits and a struct is not a tuple; values; the names of structs, variants and fields;
//! which fields were left out; and where a compound value ends. A length is no event, since not all compounds know theirs:
//! the end is. Not passed on is the order of a map's entries, which has no meaning.
//!
//! What serde does not say cannot be passed on: an enum that is `untagged` says nothing of its variant, and a set is a
//! sequence. The attribute helps where it sees such a type (`key/argument.rs`).

mod compounds;
mod element;
mod numbers;
mod walker;

pub(crate) use walker::Walker;

/// What kind of event it is: five bits, all of them in use.
///
/// The numbers are part of the bytes of keys, which other processes know: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Bool = 0,
    I8 = 1,
    I16 = 2,
    I32 = 3,
    I64 = 4,
    I128 = 5,
    U8 = 6,
    U16 = 7,
    U32 = 8,
    U64 = 9,
    U128 = 10,
    F32 = 11,
    F64 = 12,
    Char = 13,
    Text = 14,
    Bytes = 15,
    None = 16,
    /// One value follows.
    Some = 17,
    Unit = 18,
    UnitStruct = 19,
    UnitVariant = 20,
    /// One value follows.
    NewtypeStruct = 21,
    /// One value follows.
    NewtypeVariant = 22,
    /// Values follow, up to [`Kind::End`].
    Seq = 23,
    /// Values follow, up to [`Kind::End`].
    Tuple = 24,
    /// Values follow, up to [`Kind::End`].
    TupleStruct = 25,
    /// Values follow, up to [`Kind::End`].
    TupleVariant = 26,
    /// Entries, in no order.
    Map = 27,
    /// Fields follow, up to [`Kind::End`].
    Struct = 28,
    /// Fields follow, up to [`Kind::End`].
    StructVariant = 29,
    End = 30,
    /// A field that is left out.
    Skipped = 31,
}

impl Kind {
    /// Returns how many bits a number of this kind has.
    #[inline]
    pub(crate) const fn width(self) -> u32 {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 8,
            Self::I16 | Self::U16 => 16,
            Self::I32 | Self::U32 | Self::F32 | Self::Char => 32,
            _ => 64,
        }
    }
}

/// What a struct or an enum and its variant are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    /// The struct's or the enum's name.
    pub(crate) of: &'static str,
    /// The variant, by index and name.
    pub(crate) variant: Option<(u32, &'static str)>,
}

/// Makes something out of the events.
pub(crate) trait Listener: Sized {
    /// Keeps what is known of one value with fields.
    type Names;
    /// Keeps the entries of one map.
    type Map;
    /// Keeps the numbers of one kind that came last in a list.
    type Run: Default;

    /// Hears an event that has no value.
    fn mark(&mut self, kind: Kind);
    /// Hears a number of up to 64 bits: signed ones extended by their sign, floats by their bits.
    fn number(&mut self, kind: Kind, value: u64);
    /// Hears a number of 128 bits.
    fn wide(&mut self, kind: Kind, value: u128);
    /// Hears a text or bytes.
    fn bytes(&mut self, kind: Kind, bytes: &[u8]);

    /// Hears that an array begins: a tuple whose elements may be a run, as those of a sequence.
    fn open_array(&mut self);
    /// Hears a number of a list; as [`number`](Self::number) otherwise.
    fn continue_run(&mut self, run: &mut Self::Run, kind: Kind, value: u64);
    /// Hears that what follows in a list is no number.
    fn end_run(&mut self, run: &mut Self::Run);
    /// Hears all numbers of a list.
    fn whole_run(&mut self, kind: Kind, values: impl Iterator<Item = u64>);

    /// Hears an event that has a name, and no fields.
    fn name(&mut self, kind: Kind, name: Name);
    /// Hears that a value with a name begins, whose fields follow.
    fn open(&mut self, kind: Kind, name: Name) -> Self::Names;
    /// Hears the name of a field, whose value follows.
    fn field(&mut self, names: &mut Self::Names, field: &'static str);
    /// Hears the name of a field that is left out.
    fn skipped(&mut self, names: &mut Self::Names, field: &'static str);
    /// Hears that no more fields follow.
    fn close(&mut self, names: Self::Names);

    /// Hears that a map begins.
    fn open_map(&mut self) -> Self::Map;
    /// Returns who hears the key and the value of the next entry.
    fn entry(map: &mut Self::Map) -> &mut Self;
    /// Hears that an entry is complete.
    fn close_entry(map: &mut Self::Map);
    /// Hears that the map is.
    fn close_map(&mut self, map: Self::Map);
}
