//! Several writes in one round trip.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryTrait, Statement, Value};

/// Writes that do not depend on one another: different rows, none of which another one reads.
#[derive(Debug, Default)]
pub struct Writes(Vec<Statement>);

impl Writes {
    pub fn add(&mut self, statement: Statement) -> &mut Self {
        self.0.push(statement);
        self
    }

    /// A query as the builder makes it, for `db`.
    pub fn add_query(&mut self, db: &impl ConnectionTrait, query: &impl QueryTrait) -> &mut Self {
        self.add(query.build(db.get_database_backend()))
    }

    /// Carries them out: all, or none and an error.
    ///
    /// PostgreSQL gets one statement, since every round trip costs as much as such a write itself. SQLite is in this process
    /// and gets one after the other.
    pub async fn carry_out(self, tx: &impl ConnectionTrait) -> Result<(), DbErr> {
        match tx.get_database_backend() {
            DbBackend::Postgres => match in_one(self.0) {
                Some(statement) => tx.execute_raw(statement).await.map(|_| ()),
                None => Ok(()),
            },
            _ => {
                for statement in self.0 {
                    tx.execute_raw(statement).await?;
                }
                Ok(())
            }
        }
    }
}

/// `WITH w0 AS (first), w1 AS (second) … last`, with parameters numbered through.
fn in_one(statements: Vec<Statement>) -> Option<Statement> {
    let mut values: Vec<Value> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    for statement in statements {
        texts.push(renumbered(&statement.sql, values.len()));
        values.extend(statement.values.into_iter().flat_map(|values| values.0));
    }
    let last = texts.pop()?;
    let earlier: Vec<String> = texts.iter().enumerate().map(|(n, text)| format!("w{n} AS ({text})")).collect();
    let sql = if earlier.is_empty() { last } else { format!("WITH {} {last}", earlier.join(", ")) };
    Some(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// `$1` becomes `$5` when four parameters come before. Values are never in the text, so a `$` is always a parameter's.
fn renumbered(sql: &str, before: usize) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(digits);
        match number.parse::<usize>() {
            Ok(number) => text.push_str(&format!("${}{rest}", number + before)),
            Err(_) => text.push_str(&format!("${part}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_through() {
        let one = |sql: &str, values: Vec<Value>| Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let all = in_one(vec![
            one("UPDATE a SET x = $1 WHERE id = $2", vec![1.into(), 2.into()]),
            one("DELETE FROM b", vec![]),
            one("INSERT INTO c VALUES ($1, $2, $1)", vec![3.into(), 4.into()]),
        ])
        .expect("there are some");
        assert_eq!(
            all.sql,
            "WITH w0 AS (UPDATE a SET x = $1 WHERE id = $2), w1 AS (DELETE FROM b) INSERT INTO c VALUES ($3, $4, $3)"
        );
        assert_eq!(all.values.map(|values| values.0.len()), Some(4));
        assert_eq!(renumbered("$12 $1", 10), "$22 $11");
        assert!(in_one(vec![]).is_none());
    }
}
