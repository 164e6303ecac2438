// As register.mjs, for TypeScript that imports the built package.
import * as module from 'node:module'
import { load, resolve } from './built-hooks.mjs'

process.setSourceMapsEnabled(true)
if (module.registerHooks) module.registerHooks({ load, resolve })
else module.register('./built-hooks.mjs', import.meta.url)
