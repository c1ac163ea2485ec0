import classes from "./data-table.module.css";

/** For the one link of a row of a `DataTable`: the whole row leads there. */
export const rowLink = classes.rowLink ?? "";
/** For what else can be clicked in such a row. */
export const aboveRowLink = classes.above ?? "";
