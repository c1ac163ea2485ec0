//! Sets of scopes: what a token was given, what a role may do.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use offpeak_api::{access::Scope, people::Role};

use crate::error::ApiError;

/// What a caller may do. `admin` stands for every scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// What members of a team may do in it.
const OF_MEMBERS: [Scope; 6] =
    [Scope::JobsRead, Scope::JobsWrite, Scope::UploadsWrite, Scope::WebhooksRead, Scope::WebhooksWrite, Scope::TokensWrite];
/// What operators may do in every team. Tokens and webhooks carry a team's data away, so those are the members' own.
const OF_OPERATORS: [Scope; 6] =
    [Scope::JobsRead, Scope::JobsWrite, Scope::UploadsWrite, Scope::AgentsRead, Scope::AgentsWrite, Scope::WebhooksRead];

impl Scopes {
    /// What `offpeak-server token create` gives unless told otherwise: all that concerns videos and machines, nothing that
    /// concerns people.
    pub fn of_programs() -> Self {
        Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin).collect()
    }

    /// What a person of this role may do in a team, or where no team matters.
    pub fn of_person(role: Role, is_member: bool) -> Self {
        let by_role: &[Scope] = match role {
            Role::Admin => &[Scope::Admin],
            Role::Operator => &OF_OPERATORS,
            Role::Member => &[],
        };
        let as_member: &[Scope] = if is_member { &OF_MEMBERS } else { &[] };
        by_role.iter().chain(as_member).copied().collect()
    }

    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::Admin)
    }

    /// Refuses who has none of these.
    pub fn need(&self, any_of: &[Scope]) -> Result<(), ApiError> {
        if any_of.iter().any(|scope| self.has(*scope)) {
            return Ok(());
        }
        let names: Vec<&str> = any_of.iter().map(|scope| scope.as_str()).collect();
        Err(ApiError::new(StatusCode::FORBIDDEN, "insufficient_scope", format!("This needs the scope {}.", names.join(" or ")))
            .hint("Use a token that has it, or ask an administrator."))
    }

    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// As a token's row keeps them.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// What a row keeps. A scope that this server does not know, because a newer one wrote it, allows nothing here.
    pub fn of_text(text: &str) -> Self {
        text.split_whitespace().filter_map(Scope::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_what_was_given() {
        for scopes in [Scopes::default(), Scopes::of_programs(), Scopes::of_person(Role::Operator, true)] {
            assert_eq!(Scopes::of_text(&scopes.to_text()), scopes);
        }
        assert_eq!(Scopes::of_text("jobs:read from:the-future").to_text(), "jobs:read");
    }

    #[test]
    fn roles_may_what_they_are_for() {
        type Case = (Role, bool, &'static [Scope], &'static [Scope]);
        let cases: [Case; 5] = [
            (Role::Admin, false, &Scope::ALL, &[]),
            (
                Role::Operator,
                false,
                &[Scope::JobsWrite, Scope::AgentsWrite],
                &[Scope::TokensWrite, Scope::WebhooksWrite, Scope::Admin],
            ),
            (Role::Operator, true, &[Scope::TokensWrite, Scope::WebhooksWrite, Scope::AgentsWrite], &[Scope::Admin]),
            (Role::Member, true, &[Scope::JobsWrite, Scope::TokensWrite], &[Scope::AgentsRead, Scope::AgentsWrite, Scope::Admin]),
            (Role::Member, false, &[], &Scope::ALL),
        ];
        for (role, is_member, may, may_not) in cases {
            let scopes = Scopes::of_person(role, is_member);
            assert!(may.iter().all(|scope| scopes.has(*scope)), "{role:?} {is_member}");
            assert!(!may_not.iter().any(|scope| scopes.has(*scope)), "{role:?} {is_member}");
        }
    }

    #[test]
    fn who_has_one_of_the_scopes_may() {
        let scopes = Scopes::of_text("agents:read");
        assert_eq!(scopes.need(&[Scope::JobsRead, Scope::AgentsRead]), Ok(()));
        let refused = scopes.need(&[Scope::JobsRead]).expect_err("it was not given");
        assert_eq!((refused.status.as_u16(), refused.code), (403, "insufficient_scope"));
        assert!(!Scopes::of_programs().has(Scope::Admin) && Scopes::of_text("admin").has(Scope::WebhooksWrite));
    }
}
