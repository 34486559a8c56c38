/**
 * Use late: a condition that counts only if it lasts, so that a short one shows nothing.
 */
import { useEffect, useState } from 'preact/hooks'

const SHOW_AFTER_MS = 1_000

/** True a second after the condition became true; false with it. */
export function useLate(condition: boolean): boolean {
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    if (!condition) return setLate(false)
    const timer = setTimeout(() => setLate(true), SHOW_AFTER_MS)
    return () => clearTimeout(timer)
  }, [condition])
  return isLate && condition
}
