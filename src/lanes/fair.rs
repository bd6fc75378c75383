//! A queue in which tenants take turns, and within each tenant its connections: whoever has little
//! to ask does not wait for whoever has much.

use std::collections::{HashMap, VecDeque};

use super::Caller;

/// Items in the order in which they are due.
#[derive(Debug)]
pub(crate) struct Fair<T> {
    len: usize,
    turns: VecDeque<u64>,
    tenants: HashMap<u64, Tenant<T>>,
}

#[derive(Debug)]
struct Tenant<T> {
    turns: VecDeque<u64>,
    connections: HashMap<u64, VecDeque<T>>,
}

impl<T> Default for Fair<T> {
    fn default() -> Self {
        Self {
            len: 0,
            turns: VecDeque::new(),
            tenants: HashMap::new(),
        }
    }
}

impl<T> Fair<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, caller: Caller, item: T) {
        let Caller { tenant, connection } = caller;
        let turns = &mut self.turns;
        let of_tenant = self.tenants.entry(tenant).or_insert_with(|| {
            turns.push_back(tenant);
            Tenant {
                turns: VecDeque::new(),
                connections: HashMap::new(),
            }
        });
        let turns = &mut of_tenant.turns;
        let of_connection = of_tenant.connections.entry(connection).or_insert_with(|| {
            turns.push_back(connection);
            VecDeque::new()
        });
        of_connection.push_back(item);
        self.len += 1;
    }

    /// The item that is due.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let tenant = self.turns.pop_front()?;
        let of_tenant = self.tenants.get_mut(&tenant)?;
        let connection = of_tenant.turns.pop_front()?;
        let of_connection = of_tenant.connections.get_mut(&connection)?;
        let item = of_connection.pop_front()?;
        if of_connection.is_empty() {
            of_tenant.connections.remove(&connection);
        } else {
            of_tenant.turns.push_back(connection);
        }
        if of_tenant.connections.is_empty() {
            self.tenants.remove(&tenant);
        } else {
            self.turns.push_back(tenant);
        }
        self.len -= 1;
        Some(item)
    }

    /// Takes out the first item of a caller that is wanted.
    pub(crate) fn remove(&mut self, caller: Caller, wanted: impl Fn(&T) -> bool) -> Option<T> {
        let Caller { tenant, connection } = caller;
        let of_tenant = self.tenants.get_mut(&tenant)?;
        let of_connection = of_tenant.connections.get_mut(&connection)?;
        let place = of_connection.iter().position(wanted)?;
        let item = of_connection.remove(place);
        if of_connection.is_empty() {
            of_tenant.connections.remove(&connection);
            of_tenant.turns.retain(|turn| *turn != connection);
        }
        if of_tenant.connections.is_empty() {
            self.tenants.remove(&tenant);
            self.turns.retain(|turn| *turn != tenant);
        }
        self.len -= 1;
        item
    }

    /// About how many items are due before one that a caller would add now.
    pub(crate) fn before(&self, caller: Caller) -> usize {
        let Some(of_tenant) = self.tenants.get(&caller.tenant) else {
            return self.len.min(self.tenants.len());
        };
        let own = of_tenant
            .connections
            .get(&caller.connection)
            .map_or(0, VecDeque::len);
        let connections = of_tenant.connections.len() + usize::from(own == 0);
        self.len
            .min((own + 1) * connections * self.tenants.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(tenant: u64, connection: u64) -> Caller {
        Caller { tenant, connection }
    }

    #[test]
    fn tenants_take_turns_and_so_do_the_connections_of_each() {
        let mut queue = Fair::default();
        for number in 0..4 {
            queue.push(caller(1, 1), format!("a{number}"));
        }
        queue.push(caller(1, 2), "b0".to_owned());
        queue.push(caller(2, 3), "c0".to_owned());
        queue.push(caller(2, 3), "c1".to_owned());
        let order: Vec<String> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, ["a0", "c0", "b0", "c1", "a1", "a2", "a3"]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn who_has_little_waits_for_one_of_each_other() {
        let mut queue = Fair::default();
        for number in 0..1_000 {
            queue.push(caller(1, 1), number);
        }
        assert_eq!(queue.before(caller(1, 1)), 1_000);
        assert_eq!(queue.before(caller(1, 2)), 1);
        assert_eq!(queue.before(caller(2, 3)), 1);
    }

    #[test]
    fn what_is_taken_out_leaves_no_turn_behind() {
        let mut queue = Fair::default();
        queue.push(caller(1, 1), 1);
        queue.push(caller(2, 2), 2);
        assert_eq!(queue.remove(caller(1, 1), |item| *item == 1), Some(1));
        assert_eq!(queue.remove(caller(1, 1), |item| *item == 1), None);
        assert_eq!((queue.pop(), queue.pop()), (Some(2), None));
    }
}
