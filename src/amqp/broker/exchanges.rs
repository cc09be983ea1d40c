//! The methods of exchanges (AMQP 0-9-1 §1.6), and how exchanges come and go.

use std::rc::Rc;

use amq_protocol::protocol::{AMQPClass, exchange};
use amq_protocol::types::{AMQPValue, FieldTable};

use super::core::Core;
use super::exchange::{Binding, Destination, Exchange, Kind};
use super::refusal::Refusal;
use crate::connect::hosting::Key;

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
                let binding =
                    self.exchange_binding(id, asked.destination.as_str(), asked.arguments)?;
                self.exchange_for(id, asked.source.as_str())?
                    .bind(asked.routing_key.as_str(), binding);
                (M::BindOk(exchange::BindOk {}), asked.nowait)
            }
            M::Unbind(asked) => {
                let binding =
                    self.exchange_binding(id, asked.destination.as_str(), asked.arguments)?;
                self.unbind(
                    id,
                    asked.source.as_str(),
                    asked.routing_key.as_str(),
                    &binding,
                )?;
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
        let alternate = alternate(&asked.arguments)?;
        let place = self.place(id);
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
        let name: Rc<str> = name.into();
        let mut exchange = Exchange::new(Rc::clone(&name), kind);
        exchange.durable = asked.durable;
        exchange.auto_delete = asked.auto_delete;
        exchange.internal = asked.internal;
        exchange.alternate = alternate.map(Into::into);
        vhost.exchanges.insert(name, exchange);
        Ok(())
    }

    fn delete_exchange_asked(&mut self, id: Key, asked: &exchange::Delete) -> Result<(), Refusal> {
        let name = asked.exchange.as_str();
        if name.starts_with("amq.") {
            return Err(Refusal::access(format!(
                "exchange name '{name}' contains reserved prefix 'amq.*'"
            )));
        }
        let place = self.place(id);
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
            vhost.exchanges.remove(name);
        }
        self.unbind_all(at, &Destination::Exchange(Rc::clone(name)));
    }

    /// Takes a binding away; to take away what is not there is no error, as in RabbitMQ.
    pub(super) fn unbind(
        &mut self,
        id: Key,
        exchange: &str,
        key: &str,
        binding: &Binding,
    ) -> Result<(), Refusal> {
        let exchange = match self.exchange_for(id, exchange) {
            Err(refusal) if refusal.code == 404 => return Ok(()),
            found => found?,
        };
        if exchange.unbind(key, binding) && exchange.auto_delete && !exchange.is_used() {
            let name = Rc::clone(&exchange.name);
            self.delete_exchange(self.vhost_of(id), &name);
        }
        Ok(())
    }

    /// Takes all bindings to something away that is gone, and the exchanges that were to go with their last binding.
    pub(super) fn unbind_all(&mut self, at: usize, destination: &Destination) {
        let Some(vhost) = self.vhosts.get_mut(at) else {
            return;
        };
        let mut emptied = Vec::new();
        for exchange in vhost.exchanges.values_mut() {
            if exchange.forget(destination) && exchange.auto_delete && !exchange.is_used() {
                emptied.push(Rc::clone(&exchange.name));
            }
        }
        for name in emptied {
            self.delete_exchange(at, &name);
        }
    }
}

fn alternate(arguments: &FieldTable) -> Result<Option<String>, Refusal> {
    match arguments.inner().get("alternate-exchange") {
        None => Ok(None),
        Some(AMQPValue::LongString(name)) => Ok(String::from_utf8(name.as_bytes().to_vec()).ok()),
        Some(_) => Err(Refusal::precondition(
            "invalid arg 'alternate-exchange': it is no text",
        )),
    }
}

/// An exchange that is there is declared again: it must be the same (§1.6.2.1).
fn check_same(
    current: &Exchange,
    asked: &exchange::Declare,
    alternate: Option<&str>,
    place: &str,
) -> Result<(), Refusal> {
    let text = |flag: bool| flag.to_string();
    let or_none = |name: Option<&str>| name.unwrap_or("none").to_owned();
    let pairs = [
        (
            "type",
            asked.kind.as_str().to_owned(),
            current.kind.name().to_owned(),
        ),
        ("durable", text(asked.durable), text(current.durable)),
        (
            "auto_delete",
            text(asked.auto_delete),
            text(current.auto_delete),
        ),
        ("internal", text(asked.internal), text(current.internal)),
        (
            "alternate-exchange",
            or_none(alternate),
            or_none(current.alternate.as_deref()),
        ),
    ];
    match pairs
        .iter()
        .find(|(_, received, current)| received != current)
    {
        None => Ok(()),
        Some((what, received, now)) => Err(Refusal::precondition(format!(
            "inequivalent arg '{what}' for exchange '{}' {place}: received '{received}' but current is '{now}'",
            current.name
        ))),
    }
}
