//! The tuple of a function's arguments, as its key.

use serde::ser::SerializeTuple as _;
use serde::{Serialize, Serializer};

/// Serialises a tuple as serde does, always in line: what the walk of a key costs on a hit is constant only if the compiler sees
/// the whole of it.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<T>(pub T);

/// Invokes a macro with the type parameters of each tuple of arguments, of up to eight.
macro_rules! for_tuples {
    ($each:ident) => {
        $each!(A);
        $each!(A B);
        $each!(A B C);
        $each!(A B C D);
        $each!(A B C D E);
        $each!(A B C D E F);
        $each!(A B C D E F G);
        $each!(A B C D E F G H);
    };
}

pub(crate) use for_tuples;

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Serialize),*> Serialize for Arguments<($($name,)*)> {
            #[cfg_attr(not(debug_assertions), inline(always))]
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[allow(non_snake_case, reason = "types and values share their names")]
                let ($($name,)*) = &self.0;
                const COUNT: usize = [$(stringify!($name)),*].len();
                let mut tuple = serializer.serialize_tuple(COUNT)?;
                $(tuple.serialize_element($name)?;)*
                tuple.end()
            }
        }
    };
}

for_tuples!(tuples);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn arguments_have_the_key_of_a_tuple() {
        let same = |one: Key, other: Key| assert!(one == other && one.bytes() == other.bytes());
        same(Key::new(&Arguments((7_u64,))).unwrap(), Key::new(&(7_u64,)).unwrap());
        same(Key::new(&Arguments(("a", 1_u32, [2_u8; 3]))).unwrap(), Key::new(&("a", 1_u32, [2_u8; 3])).unwrap());
    }
}
