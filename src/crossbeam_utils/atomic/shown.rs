//! What a trace shows of a value of any type.

#![expect(
    unsafe_code,
    reason = "a value of a type parameter is looked at as the type that it has"
)]

use std::any::TypeId;
use std::marker::PhantomData;
use std::ptr;

use crate::trace::Value;

/// The value, if it is an integer or a boolean, whose equality is that of what is shown.
pub(super) fn shown<T>(value: &T) -> Option<Value> {
    macro_rules! if_it_is {
        ($($primitive:ty)*) => {$(
            if is::<T, $primitive>() {
                // SAFETY: `T` is this type, and the pointer comes from a reference to a `T`.
                let value = unsafe { ptr::from_ref(value).cast::<$primitive>().read() };
                return Some(Value::from(value));
            }
        )*};
    }
    if_it_is!(bool u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
    None
}

/// Whether a type is another one, which has no lifetimes in it.
fn is<T, Primitive: 'static>() -> bool {
    trait Identified {
        fn id(&self) -> TypeId
        where
            Self: 'static;
    }

    impl<T> Identified for PhantomData<T> {
        fn id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }

    let it = PhantomData::<T>;
    // SAFETY: only the lifetimes in the type are changed, of which the machine code of `id` knows
    // nothing: there is no value whose lifetime could be taken for longer than it is.
    let it = unsafe {
        std::mem::transmute::<&dyn Identified, &(dyn Identified + 'static)>(&it as &dyn Identified)
    };
    it.id() == TypeId::of::<Primitive>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_booleans_are_shown_and_nothing_else() {
        assert_eq!(shown(&true), Some(Value::Bool(true)));
        assert_eq!(shown(&-3_i16), Some(Value::Signed(-3)));
        assert_eq!(shown(&3_usize), Some(Value::Unsigned(3)));
        let text = String::from("a");
        assert_eq!(shown(&text.as_str()), None);
        assert_eq!(shown(&3_u128), None);
        assert_eq!(shown(&[1_u8]), None);
    }
}
