/**
 * Without uWebSockets.js: `node --import` this file, and the library is not installed for that
 * process, so that its servers run on the built-in transport.
 */
import { register } from 'node:module'

const hooks = `export function resolve(specifier, context, next) {
  if (specifier !== 'uWebSockets.js') return next(specifier, context)
  throw Object.assign(new Error('hidden by a test'), { code: 'ERR_MODULE_NOT_FOUND' })
}`

register(`data:text/javascript,${encodeURIComponent(hooks)}`)
