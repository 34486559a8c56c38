/**
 * Without uWebSockets.js: with `node --import` of this file the library appears as not installed in that
 * process, so that its servers use the built-in transport.
 */
import { register } from 'node:module'

const hooks = `export function resolve(specifier, context, next) {
  if (specifier !== 'uWebSockets.js') return next(specifier, context)
  throw Object.assign(new Error('hidden by a test'), { code: 'ERR_MODULE_NOT_FOUND' })
}`

register(`data:text/javascript,${encodeURIComponent(hooks)}`)
