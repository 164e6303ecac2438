/** A fault in the bytes of a Parquet file. The reader of the file adds its name. */
export class Damage extends Error {}
