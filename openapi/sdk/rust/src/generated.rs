use crate::calls::Client;
impl Client {}
