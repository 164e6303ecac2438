// Runs TypeScript sources unbuilt: node --import ./scripts/typescript/register.mjs FILE.ts
import { register } from 'node:module'

process.setSourceMapsEnabled(true)
register('./hooks.mjs', import.meta.url)
