/** What is wrong with the bytes of a Parquet file; its reader adds the name of the file. */
export class Damage extends Error {}
