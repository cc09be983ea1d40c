//! OSCORE (RFC 8613) between the request layer and the message layer: every message by itself.

use std::collections::HashMap;
use std::time::Instant;

use super::client::{Client, Taken};
use super::core::Core;
use super::event::{Failure, Ignored};
use super::request::{Peer, Response};
use crate::coap::code::Code;
use crate::coap::message::{Message, Token, Type};
use crate::coap::option;
use crate::coap::oscore::{Binding, Context, Fault};

/// The security contexts of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Protection {
    /// For what we ask of a peer.
    pub(super) asking: HashMap<Peer, Context>,
    /// For what others ask of us.
    pub(super) serving: Vec<Context>,
}

/// Which of the serving contexts a request came under, and what its responses are tied to.
pub(super) type Guard = (usize, Binding);

impl Protection {
    /// Protects a request where its peer has a context; the message as it is otherwise.
    pub(super) fn ask(
        &mut self,
        peer: Peer,
        message: Message,
    ) -> Result<(Message, Option<Binding>), Fault> {
        let Some(context) = self.asking.get_mut(&peer) else {
            return Ok((message, None));
        };
        let (protected, binding) = context.protect_request(&message)?;
        Ok((protected, Some(binding)))
    }

    /// Opens a response to a protected request.
    fn open(&self, peer: Peer, message: &Message, binding: &Binding) -> Result<Message, Fault> {
        let context = self.asking.get(&peer).ok_or(Fault::Unknown)?;
        context.open_response(message, binding)
    }

    /// Opens a request that carries an OSCORE option; others pass as they are.
    pub(super) fn serve(&mut self, message: Message) -> Result<(Message, Option<Guard>), Fault> {
        if self.serving.is_empty() || !message.options.contains(option::OSCORE) {
            return Ok((message, None));
        }
        for (at, context) in self.serving.iter_mut().enumerate() {
            match context.open_request(&message) {
                Err(Fault::Unknown) => {}
                Err(fault) => return Err(fault),
                Ok((opened, binding)) => return Ok((opened, Some((at, binding)))),
            }
        }
        Err(Fault::Unknown)
    }

    /// What a request must repeat before it is taken, since its context cannot tell whether it is a replay
    /// (RFC 8613 Appendix B.1.2).
    pub(super) fn challenge(
        &mut self,
        message: &Message,
        guard: Option<&Guard>,
    ) -> Option<Response> {
        let (at, binding) = guard?;
        let echo = self.serving.get_mut(*at)?.challenge_of(message, binding)?;
        Some(Response::new(Code::UNAUTHORIZED).with(option::ECHO, echo))
    }

    /// Protects a response where its request was protected. One that cannot be is not sent.
    pub(super) fn answer(&mut self, message: Message, guard: Option<&Guard>) -> Option<Message> {
        let Some((at, binding)) = guard else {
            return Some(message);
        };
        let context = self.serving.get_mut(*at)?;
        // A challenge must not share its nonce with the response that follows (Appendix B.1.2).
        let fresh = message.options.contains(option::ECHO);
        context.protect_response(&message, binding, fresh).ok()
    }
}

impl Client {
    /// A response as it is meant; otherwise what becomes of it. An error may come unprotected, as from a peer that
    /// does not know the context (RFC 8613 §8.4). An observation goes on without what cannot be opened (§8.4.2): it may be
    /// a notification of before its last registration, or somebody else's. It is acknowledged, as a reset would end the
    /// observation.
    pub(super) fn opened(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: u64,
        peer: Peer,
        message: Message,
    ) -> Result<Message, Taken> {
        let Some(binding) = self.bindings.get(&(peer, message.token)) else {
            return Ok(message);
        };
        let opened = core.protection.open(peer, &message, binding);
        let flow = self.flows.get(&id);
        let is_answer = message.kind == Type::Ack;
        let survives = flow.is_some_and(|it| it.survives() || it.is_renewed() && !is_answer);
        match opened {
            Ok(opened) => Ok(opened),
            Err(fault) if survives => {
                core.ignored(peer, Ignored::Protection(fault));
                Err(Taken::Yes)
            }
            Err(Fault::Unprotected) if !message.code.is_success() => {
                if let Some(flow) = self.flows.get_mut(&id) {
                    flow.bare = true;
                }
                Ok(message)
            }
            Err(fault) => {
                self.fail(core, now, id, Failure::Protection(fault));
                Err(Taken::Rejected)
            }
        }
    }

    pub(super) fn is_protected(&self, peer: Peer, token: Token) -> bool {
        self.bindings.contains_key(&(peer, token))
    }
}

/// What a request that cannot be opened is answered with, unprotected (RFC 8613 §8.2).
pub(super) fn refusal(fault: Fault) -> Response {
    let response = match fault {
        Fault::Unknown => Response::error(Code::UNAUTHORIZED, "Security context not found"),
        Fault::Replay => Response::error(Code::UNAUTHORIZED, "Replay detected"),
        Fault::Decryption => Response::error(Code::BAD_REQUEST, "Decryption failed"),
        _ => Response::error(Code::BAD_OPTION, "Failed to decode COSE"),
    };
    response.with_uint(option::MAX_AGE, 0)
}
