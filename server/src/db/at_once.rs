//! Several writes in one round trip, and writes that hold only if nothing has changed since somebody looked.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryTrait, RuntimeErr, Statement, Value, sqlx};

use super::Db;

/// Writes that do not depend on one another: different rows, none of which another one reads.
#[derive(Debug, Default)]
pub struct Writes(Vec<Write>);

#[derive(Debug)]
struct Write {
    statement: Statement,
    /// It touches exactly one row, or nothing of all is written.
    is_condition: bool,
}

impl Writes {
    pub fn add(&mut self, statement: Statement) -> &mut Self {
        self.0.push(Write { statement, is_condition: false });
        self
    }

    /// A write, or a look that locks, on which all the others depend: unless it finds its row as its own conditions want it,
    /// none of them happens. Rows are locked in the order in which such conditions were added.
    pub fn add_condition(&mut self, db: &impl ConnectionTrait, query: &impl QueryTrait) -> &mut Self {
        self.0.push(Write { statement: query.build(db.get_database_backend()), is_condition: true });
        self
    }

    /// A query as the builder makes it, for `db`.
    pub fn add_query(&mut self, db: &impl ConnectionTrait, query: &impl QueryTrait) -> &mut Self {
        self.add(query.build(db.get_database_backend()))
    }

    /// Carries them out within a transaction: all, or none and an error.
    ///
    /// PostgreSQL gets one statement, since every round trip costs as much as such a write itself.
    pub async fn carry_out(self, tx: &impl ConnectionTrait) -> Result<(), DbErr> {
        match tx.get_database_backend() {
            DbBackend::Postgres => match in_one(self.0) {
                Some(statement) => tx.execute_raw(statement).await.map(|_| ()),
                None => Ok(()),
            },
            _ if one_by_one(self.0, tx).await? => Ok(()),
            _ => Err(DbErr::RecordNotUpdated),
        }
    }
}

impl Db {
    /// Carries writes out by themselves, durably. False when one of their conditions did not hold, and nothing was written:
    /// somebody else was there meanwhile, or what was read before is old.
    ///
    /// On PostgreSQL this is one statement and no transaction around it, so one trip instead of three, and the locks are held
    /// for no longer than the statement takes.
    pub async fn write_at_once(&self, writes: Writes) -> Result<bool, DbErr> {
        if self.reader.get_database_backend() == DbBackend::Postgres {
            let Some(statement) = in_one(writes.0) else { return Ok(true) };
            return match self.reader.execute_raw(statement).await {
                Ok(_) => Ok(true),
                Err(error) if is_unmet(&error) => Ok(false),
                Err(error) => Err(error),
            };
        }
        let tx = self.write().await?;
        if one_by_one(writes.0, &tx.tx).await? {
            tx.commit().await?;
            return Ok(true);
        }
        Ok(false)
    }
}

/// The conditions first, each by itself. The rest goes to the database's thread together: handing a statement over costs as
/// much as such a write.
async fn one_by_one(writes: Vec<Write>, tx: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let (conditions, rest): (Vec<Write>, Vec<Write>) = writes.into_iter().partition(|write| write.is_condition);
    for Write { statement, .. } in conditions {
        let found = if statement.sql.starts_with("SELECT") {
            u64::from(tx.query_one_raw(statement).await?.is_some())
        } else {
            tx.execute_raw(statement).await?.rows_affected()
        };
        if found != 1 {
            return Ok(false);
        }
    }
    let (texts, values) = numbered_through(rest.into_iter().map(|write| write.statement));
    if !texts.is_empty() {
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), texts.join("; "), values)).await?;
    }
    Ok(true)
}

/// The statements' texts, with parameters numbered as if all were one, and the values of all.
fn numbered_through(statements: impl Iterator<Item = Statement>) -> (Vec<String>, Vec<Value>) {
    let mut values: Vec<Value> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    for statement in statements {
        texts.push(renumbered(&statement.sql, values.len()));
        values.extend(statement.values.into_iter().flat_map(|values| values.0));
    }
    (texts, values)
}

/// `WITH w0 AS (first), w1 AS (second) … last`, with parameters numbered through.
///
/// With conditions, the last is a division by how many of them found their row: one that did not makes all of it fail, which
/// is the only way in which a single statement can take back what it wrote.
fn in_one(writes: Vec<Write>) -> Option<Statement> {
    let is_condition: Vec<bool> = writes.iter().map(|write| write.is_condition).collect();
    let (mut texts, values) = numbered_through(writes.into_iter().map(|write| write.statement));
    let mut conditions: Vec<String> = Vec::new();
    for (n, text) in texts.iter_mut().enumerate().filter(|(n, _)| is_condition[*n]) {
        if !text.starts_with("SELECT") {
            text.push_str(" RETURNING 1");
        }
        conditions.push(format!("(SELECT count(*) FROM w{n})"));
    }
    let last = if conditions.is_empty() { texts.pop()? } else { format!("SELECT 1 / ({})", conditions.join(" * ")) };
    let earlier: Vec<String> = texts.iter().enumerate().map(|(n, text)| format!("w{n} AS ({text})")).collect();
    let sql = if earlier.is_empty() { last } else { format!("WITH {} {last}", earlier.join(", ")) };
    Some(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// PostgreSQL's `division_by_zero`: none of our statements divides anything else.
fn is_unmet(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else { return false };
    matches!(cause.as_ref(), sqlx::Error::Database(error) if error.code().is_some_and(|code| code == "22012"))
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
        let one = |is_condition, sql: &str, values: Vec<Value>| Write {
            statement: Statement::from_sql_and_values(DbBackend::Postgres, sql, values),
            is_condition,
        };
        let all = in_one(vec![
            one(false, "UPDATE a SET x = $1 WHERE id = $2", vec![1.into(), 2.into()]),
            one(false, "DELETE FROM b", vec![]),
            one(false, "INSERT INTO c VALUES ($1, $2, $1)", vec![3.into(), 4.into()]),
        ])
        .expect("there are some");
        assert_eq!(
            all.sql,
            "WITH w0 AS (UPDATE a SET x = $1 WHERE id = $2), w1 AS (DELETE FROM b) INSERT INTO c VALUES ($3, $4, $3)"
        );
        assert_eq!(all.values.map(|values| values.0.len()), Some(4));
        assert_eq!(renumbered("$12 $1", 10), "$22 $11");
        assert!(in_one(vec![]).is_none());
        let conditional = in_one(vec![
            one(true, "SELECT 1 FROM a WHERE id = $1 FOR SHARE", vec![1.into()]),
            one(true, "UPDATE b SET x = $1", vec![2.into()]),
            one(false, "DELETE FROM c", vec![]),
        ]);
        assert_eq!(
            conditional.expect("there are some").sql,
            "WITH w0 AS (SELECT 1 FROM a WHERE id = $1 FOR SHARE), w1 AS (UPDATE b SET x = $2 RETURNING 1), \
             w2 AS (DELETE FROM c) SELECT 1 / ((SELECT count(*) FROM w0) * (SELECT count(*) FROM w1))"
        );
    }
}
