// Runs TypeScript sources unbuilt: node --import ./scripts/typescript/register.mjs FILE.ts
import * as module from 'node:module'
import { load, resolve } from './hooks.mjs'

process.setSourceMapsEnabled(true)
// Node 20 has only the older way, a thread of its own for hooks; newer ones warn of it.
if (module.registerHooks) module.registerHooks({ load, resolve })
else module.register('./hooks.mjs', import.meta.url)
