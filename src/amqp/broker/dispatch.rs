//! Which frame goes where, on channels that are open and on those that are not.

use amq_protocol::protocol::{AMQPClass, access, basic, channel, confirm, queue, tx};

use super::super::frame::{BODY, Frame, HEADER, HEARTBEAT, METHOD, Refusal};
use super::channel::{Channel, Confirms, Outcome, Transaction};
use super::chores::Chore;
use super::connection::Phase;
use super::core::Core;
use super::exchanges::check_room;
use super::message::Held;
use super::wire::{self, Publish};
use crate::server::Key;

impl Core {
    /// Handles one frame.
    pub(super) fn handle(&mut self, id: Key, frame: Frame<'_>) {
        let Some(phase) = self.connections.get(id).map(|connection| connection.phase) else {
            return;
        };
        let outcome = match frame.kind {
            _ if phase == Phase::Closing => return self.while_closing(id, frame),
            HEARTBEAT if frame.channel == 0 && frame.payload.is_empty() => return,
            HEARTBEAT => Err(Refusal::frame("a heartbeat is for channel 0 and empty")),
            _ if frame.channel == 0 => self.on_channel_0(id, frame),
            _ if phase != Phase::Open => Err(Refusal::channel("the connection is not open yet")),
            HEADER => self.on_header(id, frame.channel, frame.payload),
            BODY => self.on_body(id, frame.channel, frame.payload),
            _ => self.on_channel(id, frame),
        };
        if let Err(refusal) = outcome {
            let ids = match frame.kind {
                METHOD => frame.method_ids(),
                _ => (60, 40),
            };
            self.refuse(id, frame.channel, &refusal, ids);
        }
    }

    /// Closes what a refusal closes.
    pub(super) fn refuse(&mut self, id: Key, number: u16, refusal: &Refusal, ids: (u16, u16)) {
        if refusal.is_hard() || number == 0 {
            self.close_connection(id, refusal, ids);
        } else {
            self.close_channel(id, number, refusal, ids);
        }
    }

    /// Only the end of the connection is of interest any more (§1.4.2.10).
    fn while_closing(&mut self, id: Key, frame: Frame<'_>) {
        if frame.channel != 0 || frame.kind != METHOD {
            return;
        }
        match frame.method_ids() {
            (10, 50) => drop(self.on_channel_0(id, frame)),
            (10, 51) => self.hang_up(id),
            _ => {}
        }
    }

    fn on_channel_0(&mut self, id: Key, frame: Frame<'_>) -> Result<(), Refusal> {
        if frame.kind != METHOD {
            return Err(Refusal::unexpected("content on channel 0"));
        }
        match wire::method(frame.payload)? {
            AMQPClass::Connection(method) => self.on_connection(id, method),
            _ => Err(Refusal::channel(
                "only methods of the connection are for channel 0",
            )),
        }
    }

    fn on_channel(&mut self, id: Key, frame: Frame<'_>) -> Result<(), Refusal> {
        let number = frame.channel;
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(());
        };
        let Some(open) = connection.channels.get_mut(&number) else {
            return self.open_channel(id, number, frame.payload);
        };
        if open.closing {
            match frame.method_ids() {
                (20, 40) => self.send(id, number, closed()),
                (20, 41) => drop(connection.channels.remove(&number)),
                _ => {}
            }
            return Ok(());
        }
        if open.incoming.is_some() {
            return Err(Refusal::unexpected(
                "a method where the content of a message was to follow",
            ));
        }
        if let Some(publish) = Publish::read(frame.payload) {
            return self.begin_publish(id, number, publish);
        }
        match wire::method(frame.payload)? {
            AMQPClass::Basic(method) => self.on_basic(id, number, method),
            AMQPClass::Exchange(method) => self.on_exchange(id, number, method),
            AMQPClass::Queue(method) => self.on_queue(id, number, method),
            AMQPClass::Channel(method) => self.on_channel_method(id, number, method),
            AMQPClass::Confirm(confirm::AMQPMethod::Select(select)) => {
                self.select_confirms(id, number, select.nowait)
            }
            AMQPClass::Tx(method) => self.on_tx(id, number, &method),
            AMQPClass::Access(access::AMQPMethod::Request(_)) => {
                let granted = access::AMQPMethod::RequestOk(access::RequestOk {});
                self.send(id, number, AMQPClass::Access(granted));
                Ok(())
            }
            _ => Err(Refusal::invalid(
                "this method is not for a server, or not for a channel",
            )),
        }
    }

    fn open_channel(&mut self, id: Key, number: u16, payload: &[u8]) -> Result<(), Refusal> {
        let AMQPClass::Channel(channel::AMQPMethod::Open(_)) = wire::method(payload)? else {
            return Err(Refusal::channel(format!("channel {number} is not open")));
        };
        let Some(connection) = self.connections.get_mut(id) else {
            return Ok(());
        };
        if !connection.may_open(number) {
            let most = connection.channel_max;
            return Err(Refusal::not_allowed(format!(
                "channel {number} is beyond the negotiated channel_max of {most}"
            )));
        }
        check_room(&self.memory, self.options.max_memory)?;
        let size = size_of::<Channel>();
        let channel = Channel {
            _charge: Some(self.memory.charge(Held::Definition, size)),
            ..Channel::default()
        };
        connection.channels.insert(number, channel);
        let opened = channel::AMQPMethod::OpenOk(channel::OpenOk {});
        self.send(id, number, AMQPClass::Channel(opened));
        Ok(())
    }

    fn on_channel_method(
        &mut self,
        id: Key,
        number: u16,
        method: channel::AMQPMethod,
    ) -> Result<(), Refusal> {
        use channel::AMQPMethod as M;
        match method {
            M::Open(_) => Err(Refusal::channel(format!(
                "channel {number} is open already"
            ))),
            M::Close(_) => {
                self.answer_publishers();
                self.end_channel(id, number);
                self.send(id, number, closed());
                Ok(())
            }
            M::Flow(flow) => {
                let channel = self.channel(id, number)?;
                channel.paused = !flow.active;
                let done = M::FlowOk(channel::FlowOk {
                    active: flow.active,
                });
                self.send(id, number, AMQPClass::Channel(done));
                self.feed_consumers(id);
                Ok(())
            }
            M::CloseOk(_) | M::FlowOk(_) => Ok(()),
            M::OpenOk(_) => Err(Refusal::invalid("this method is not for a server")),
        }
    }

    fn on_basic(&mut self, id: Key, number: u16, method: basic::AMQPMethod) -> Result<(), Refusal> {
        use basic::AMQPMethod as M;
        let settle = |tag, multiple, outcome| (tag, multiple, outcome);
        let back = |requeue| {
            if requeue {
                Outcome::Requeue
            } else {
                Outcome::Reject
            }
        };
        let (tag, multiple, outcome) = match method {
            M::Ack(ack) => settle(ack.delivery_tag, ack.multiple, Outcome::Ack),
            M::Nack(nack) => settle(nack.delivery_tag, nack.multiple, back(nack.requeue)),
            M::Reject(reject) => settle(reject.delivery_tag, false, back(reject.requeue)),
            M::Qos(qos) => return self.qos(id, number, &qos),
            M::Consume(consume) => return self.consume(id, number, &consume),
            M::Cancel(cancel) => return self.cancel(id, number, &cancel),
            M::CancelOk(_) => return Ok(()),
            M::Get(get) => return self.get(id, number, &get),
            M::Recover(recover) => return self.recover(id, number, recover.requeue, true),
            M::RecoverAsync(recover) => return self.recover(id, number, recover.requeue, false),
            _ => return Err(Refusal::invalid("this method is not for a server")),
        };
        self.settle(id, number, tag, multiple, outcome)
    }

    fn on_queue(&mut self, id: Key, number: u16, method: queue::AMQPMethod) -> Result<(), Refusal> {
        use queue::AMQPMethod as M;
        let mut gone = None;
        let (answer, nowait) = match method {
            M::Declare(declare) => (self.declare_queue(id, number, &declare)?, declare.nowait),
            M::Bind(bind) => (self.bind_queue(id, number, &bind)?, bind.nowait),
            M::Unbind(unbind) => (self.unbind_queue(id, number, &unbind)?, false),
            M::Purge(purge) => (self.purge_queue(id, number, &purge)?, purge.nowait),
            M::Delete(delete) => {
                let (answer, key) = self.delete_queue_asked(id, number, &delete)?;
                gone = key;
                (answer, delete.nowait)
            }
            _ => return Err(Refusal::invalid("this method is not for a server")),
        };
        if !nowait {
            self.send(id, number, AMQPClass::Queue(answer));
        }
        // As in RabbitMQ, so that consumers on the same channel are told after the answer: clients that wait for it may take
        // a cancel before it for a failure.
        if let Some(key) = gone {
            self.delete_queue(key);
        }
        Ok(())
    }

    fn select_confirms(&mut self, id: Key, number: u16, nowait: bool) -> Result<(), Refusal> {
        let channel = self.channel(id, number)?;
        if channel.transaction.is_some() {
            return Err(Refusal::precondition(
                "cannot switch from tx to confirm mode",
            ));
        }
        channel.confirms.get_or_insert_with(Confirms::default);
        if !nowait {
            let done = confirm::AMQPMethod::SelectOk(confirm::SelectOk {});
            self.send(id, number, AMQPClass::Confirm(done));
        }
        Ok(())
    }

    fn on_tx(&mut self, id: Key, number: u16, method: &tx::AMQPMethod) -> Result<(), Refusal> {
        use tx::AMQPMethod as M;
        let fresh = Transaction::new(&self.memory);
        let channel = self.channel(id, number)?;
        let outside = || Refusal::precondition("channel is not transactional");
        let answer = match method {
            M::Select(_) if channel.confirms.is_some() => {
                return Err(Refusal::precondition(
                    "cannot switch from confirm to tx mode",
                ));
            }
            M::Select(_) => {
                channel.transaction.get_or_insert(fresh);
                M::SelectOk(tx::SelectOk {})
            }
            M::Commit(_) => {
                let there = channel.transaction.as_mut().ok_or_else(outside)?;
                let operations = std::mem::replace(there, fresh).operations.into_iter();
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.committing = true;
                }
                self.do_later(Chore::Commit {
                    id,
                    number,
                    operations,
                });
                return Ok(());
            }
            M::Rollback(_) => {
                *channel.transaction.as_mut().ok_or_else(outside)? = fresh;
                M::RollbackOk(tx::RollbackOk {})
            }
            _ => return Err(Refusal::invalid("this method is not for a server")),
        };
        self.send(id, number, AMQPClass::Tx(answer));
        Ok(())
    }

    /// An open channel.
    ///
    /// # Errors
    /// 504: there is none of this number.
    pub(super) fn channel(&mut self, id: Key, number: u16) -> Result<&mut Channel, Refusal> {
        let connection = self.connections.get_mut(id);
        let channel = connection.and_then(|connection| connection.channels.get_mut(&number));
        channel
            .filter(|channel| !channel.closing)
            .ok_or_else(|| Refusal::channel(format!("channel {number} is not open")))
    }
}

fn closed() -> AMQPClass {
    AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {}))
}
