/**
 * Imported by a program whose clock is to be wrong: `Date` is off by the milliseconds of MOVED_CLOCK, one after the
 * other, each for a twentieth of a second. What counts from a start (`performance`, timers) is right, as it is on a machine
 * whose clock is set.
 */
const offsets = (process.env.MOVED_CLOCK ?? '0').split(',').map(Number)
const PERIOD = 50
const real = Date.now.bind(Date)

function moved(): number {
  const index = Math.floor(performance.now() / PERIOD) % offsets.length
  return real() + (offsets[index] ?? 0)
}

globalThis.Date = new Proxy(Date, {
  construct: (target, args: readonly unknown[]) =>
    Reflect.construct(target, args.length === 0 ? [moved()] : args),
  get: (target, key) => (key === 'now' ? moved : Reflect.get(target, key)),
})
