//! The methods of exchanges (AMQP 0-9-1 §1.6), and how exchanges come and go.

use std::rc::Rc;

use amq_protocol::protocol::{AMQPClass, exchange};
use amq_protocol::types::{AMQPValue, FieldTable};

use super::super::frame::Refusal;
use super::core::Core;
use super::exchange::{Binding, Destination, Exchange, Kind};
use super::message::Meter;
use super::settings::{difference, invalid_type};
use crate::server::Key;

impl Core {
    pub(super) fn on_exchange(
        &mut self,
        id: Key,
        number: u16,
        method: exchange::AMQPMethod,
    ) -> Result<(), Refusal> {
        use exchange::AMQPMethod as M;
        let (answer, nowait) = match method {
            M::Declare(asked) => {
                self.declare_exchange(id, &asked)?;
                (M::DeclareOk(exchange::DeclareOk {}), asked.nowait)
            }
            M::Delete(asked) => {
                self.delete_exchange_asked(id, &asked)?;
                (M::DeleteOk(exchange::DeleteOk {}), asked.nowait)
            }
            M::Bind(asked) => {
                let kind = self.exchange_for(id, asked.source.as_str())?.kind;
                let binding =
                    self.exchange_binding(id, asked.destination.as_str(), asked.arguments)?;
                kind.check_binding(&binding.arguments)?;
                self.bind(
                    id,
                    asked.source.as_str(),
                    asked.routing_key.as_str(),
                    binding,
                )?;
                (M::BindOk(exchange::BindOk {}), asked.nowait)
            }
            M::Unbind(asked) => {
                let destination = asked.destination.as_str();
                match self.exchange_binding(id, destination, asked.arguments) {
                    // To take away what is not there is no error, as in RabbitMQ.
                    Err(refusal) if refusal.code == 404 => {}
                    binding => self.unbind(
                        id,
                        asked.source.as_str(),
                        asked.routing_key.as_str(),
                        &binding?,
                    )?,
                }
                (M::UnbindOk(exchange::UnbindOk {}), asked.nowait)
            }
            _ => return Err(Refusal::invalid("this method is not for a server")),
        };
        if !nowait {
            self.send(id, number, AMQPClass::Exchange(answer));
        }
        Ok(())
    }

    /// An exchange that may be changed.
    ///
    /// # Errors
    /// 403: the default exchange; 404: there is none of this name.
    pub(super) fn exchange_for(&mut self, id: Key, name: &str) -> Result<&mut Exchange, Refusal> {
        if name.is_empty() {
            return Err(Refusal::access(
                "operation not permitted on the default exchange",
            ));
        }
        let missing = Refusal::not_found(format!("no exchange '{name}' {}", self.place(id)));
        let at = self.vhost_of(id);
        let vhost = self.vhosts.get_mut(at);
        vhost
            .and_then(|vhost| vhost.exchanges.get_mut(name))
            .ok_or(missing)
    }

    /// A binding to an exchange, which must be there.
    fn exchange_binding(
        &mut self,
        id: Key,
        destination: &str,
        arguments: FieldTable,
    ) -> Result<Binding, Refusal> {
        let name = Rc::clone(&self.exchange_for(id, destination)?.name);
        Ok(Binding {
            destination: Destination::Exchange(name),
            arguments,
        })
    }

    fn declare_exchange(&mut self, id: Key, asked: &exchange::Declare) -> Result<(), Refusal> {
        let name = asked.exchange.as_str();
        if asked.passive || name.is_empty() {
            return self.exchange_for(id, name).map(drop);
        }
        let kind = Kind::named(asked.kind.as_str());
        let kind = kind
            .ok_or_else(|| Refusal::invalid(format!("unknown exchange type '{}'", asked.kind)))?;
        let place = self.place(id);
        let alternate = alternate(&asked.arguments, &format!("exchange '{name}' {place}"))?;
        let at = self.vhost_of(id);
        let Some(vhost) = self.vhosts.get_mut(at) else {
            return Ok(());
        };
        if let Some(current) = vhost.exchanges.get(name) {
            return check_same(current, asked, alternate.as_deref(), &place);
        }
        if name.starts_with("amq.") {
            return Err(Refusal::access(format!(
                "exchange name '{name}' contains reserved prefix 'amq.*'"
            )));
        }
        let memory = &self.memory;
        check_room(memory, self.options.max_memory)?;
        let name: Rc<str> = name.into();
        let mut exchange = Exchange::declared(Rc::clone(&name), kind, memory);
        exchange.durable = asked.durable;
        exchange.auto_delete = asked.auto_delete;
        exchange.internal = asked.internal;
        exchange.alternate = alternate.map(Into::into);
        vhost.exchanges.insert(name, exchange);
        Ok(())
    }

    fn delete_exchange_asked(&mut self, id: Key, asked: &exchange::Delete) -> Result<(), Refusal> {
        let name = asked.exchange.as_str();
        let place = self.place(id);
        if name.starts_with("amq.") {
            return Err(Refusal::access(format!(
                "deletion of system exchange '{name}' {place} not allowed"
            )));
        }
        match self.exchange_for(id, name) {
            // To delete what is not there is no error, as in RabbitMQ.
            Err(refusal) if refusal.code == 404 => Ok(()),
            Err(refusal) => Err(refusal),
            Ok(exchange) if asked.if_unused && exchange.is_used() => Err(Refusal::precondition(
                format!("exchange '{name}' {place} in use"),
            )),
            Ok(exchange) => {
                let name = Rc::clone(&exchange.name);
                self.delete_exchange(self.vhost_of(id), &name);
                Ok(())
            }
        }
    }

    fn delete_exchange(&mut self, at: usize, name: &Rc<str>) {
        if let Some(vhost) = self.vhosts.get_mut(at) {
            vhost.remove_exchange(name);
        }
        self.unbind_all(at, &Destination::Exchange(Rc::clone(name)));
    }

    /// Adds a binding, unless it is there.
    ///
    /// # Errors
    /// 506: there are too many.
    pub(super) fn bind(
        &mut self,
        id: Key,
        exchange: &str,
        key: &str,
        binding: Binding,
    ) -> Result<(), Refusal> {
        check_room(&self.memory, self.options.max_memory)?;
        let at = self.vhost_of(id);
        if let Some(vhost) = self.vhosts.get_mut(at) {
            vhost.bind(exchange, key, binding, &self.memory);
        }
        Ok(())
    }

    /// Takes a binding away; to take away what is not there is no error, as in RabbitMQ.
    pub(super) fn unbind(
        &mut self,
        id: Key,
        exchange: &str,
        key: &str,
        binding: &Binding,
    ) -> Result<(), Refusal> {
        let name = match self.exchange_for(id, exchange) {
            Err(refusal) if refusal.code == 404 => return Ok(()),
            found => Rc::clone(&found?.name),
        };
        let at = self.vhost_of(id);
        let vhost = self.vhosts.get_mut(at);
        if vhost.is_some_and(|vhost| vhost.unbind(&name, key, binding)) {
            self.delete_if_unused(at, &name);
        }
        Ok(())
    }

    /// Takes all bindings to something away that is gone, and the exchanges that were to go with their last binding.
    pub(super) fn unbind_all(&mut self, at: usize, destination: &Destination) {
        let Some(vhost) = self.vhosts.get_mut(at) else {
            return;
        };
        let exchanges = vhost.forget(destination);
        self.work += exchanges.len();
        for name in exchanges {
            self.delete_if_unused(at, &name);
        }
    }

    /// Takes an exchange away that was to go with its last binding.
    fn delete_if_unused(&mut self, at: usize, name: &Rc<str>) {
        let exchange = self
            .vhosts
            .get(at)
            .and_then(|vhost| vhost.exchanges.get(name));
        if exchange.is_some_and(|exchange| exchange.auto_delete && !exchange.is_used()) {
            self.delete_exchange(at, name);
        }
    }
}

/// Whether one more queue, exchange, binding, consumer or channel may be remembered: they may hold half of the memory.
///
/// # Errors
/// 506: they hold it.
pub(super) fn check_room(memory: &Meter, most: usize) -> Result<(), Refusal> {
    match memory.definitions() > most / 2 {
        false => Ok(()),
        true => Err(Refusal::resource(
            "queues, bindings, consumers and channels hold half of the memory that the broker may use",
        )),
    }
}

fn alternate(arguments: &FieldTable, place: &str) -> Result<Option<String>, Refusal> {
    match arguments.inner().get("alternate-exchange") {
        None => Ok(None),
        Some(AMQPValue::LongString(name)) => Ok(String::from_utf8(name.as_bytes().to_vec()).ok()),
        Some(other) => Err(invalid_type(other, "alternate-exchange", place)),
    }
}

/// An exchange that is there is declared again: it must be the same (§1.6.2.1).
fn check_same(
    current: &Exchange,
    asked: &exchange::Declare,
    alternate: Option<&str>,
    place: &str,
) -> Result<(), Refusal> {
    let said = |what: &str, received: String, now: String| {
        Err(Refusal::precondition(format!(
            "inequivalent arg '{what}' for exchange '{}' {place}: received {received} but current is {now}",
            current.name
        )))
    };
    let (asked_kind, kind) = (asked.kind.as_str(), current.kind.name());
    if asked_kind != kind {
        return said("type", format!("'{asked_kind}'"), format!("'{kind}'"));
    }
    let flags = [
        ("durable", asked.durable, current.durable),
        ("auto_delete", asked.auto_delete, current.auto_delete),
        ("internal", asked.internal, current.internal),
    ];
    if let Some((what, received, now)) = flags.iter().find(|(_, received, now)| received != now) {
        return said(what, format!("'{received}'"), format!("'{now}'"));
    }
    let text = |name: &str| AMQPValue::LongString(name.into());
    let (received, now) = (alternate.map(text), current.alternate.as_deref().map(text));
    match difference(received.as_ref(), now.as_ref()) {
        None => Ok(()),
        Some((received, now)) => said("alternate-exchange", received, now),
    }
}
