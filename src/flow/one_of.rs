//! Several kinds of target as one type, without dynamic dispatch.

/// Makes an enum whose variants hold one target each a [`Target`](super::Target) itself.
macro_rules! target_of {
    ($name:ident<$life:lifetime>: $($variant:ident)+) => {
        impl $crate::flow::Target for $name<$life> {
            fn name(&self) -> String {
                match self { $(Self::$variant(target) => target.name(),)+ }
            }

            fn unit(&self) -> $crate::flow::Unit {
                match self { $(Self::$variant(target) => target.unit(),)+ }
            }

            fn has_room(&self) -> bool {
                match self { $(Self::$variant(target) => target.has_room(),)+ }
            }

            fn is_free(&self) -> bool {
                match self { $(Self::$variant(target) => target.is_free(),)+ }
            }

            fn is_idle(&self) -> bool {
                match self { $(Self::$variant(target) => target.is_idle(),)+ }
            }

            fn unsent(&self) -> u64 {
                match self { $(Self::$variant(target) => target.unsent(),)+ }
            }

            fn take(
                &mut self,
                number: $crate::flow::Number,
                message: $crate::message::Message,
            ) -> $crate::error::Result<()> {
                match self { $(Self::$variant(target) => target.take(number, message),)+ }
            }

            fn finish(&mut self) {
                match self { $(Self::$variant(target) => target.finish(),)+ }
            }

            fn details(
                &mut self,
                number: $crate::flow::Number,
            ) -> Vec<(&'static str, serde_json::Value)> {
                match self { $(Self::$variant(target) => target.details(number),)+ }
            }

            async fn drive(
                &mut self,
                into: &mut Vec<$crate::flow::Progress>,
            ) -> $crate::error::Result<()> {
                match self { $(Self::$variant(target) => target.drive(into).await,)+ }
            }
        }
    };
}

pub(crate) use target_of;
