// Loaded first by another Node (see other-node.ts): what it starts as itself goes through its start file, too.
process.execPath = process.env.HEED_NODE || process.execPath
