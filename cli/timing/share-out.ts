import type { BuildPart } from '#core'

/** Work of a part from one time to another, milliseconds. */
export interface Interval {
  readonly part: BuildPart
  readonly from: number
  readonly to: number
}

/** The time of one part; milliseconds. */
export interface PartTime {
  /** In which it was under way. */
  readonly wall: number
  /** In which nothing else was. */
  readonly alone: number
}

/** How a time is shared out among parts. */
export interface SharedTime {
  readonly parts: ReadonlyMap<BuildPart, PartTime>
  /** In which several parts were under way. */
  readonly overlap: number
  /** In which at least one was. */
  readonly covered: number
}

/** An output does nothing else while it writes to the disk: that time is not its own. */
const WAITING_FOR: ReadonlyMap<BuildPart, BuildPart> = new Map([['sync', 'export']])

/** Shares the time of intervals out among their parts. */
export function shareOut(intervals: readonly Interval[]): SharedTime {
  const parts = new Map<BuildPart, { wall: number; alone: number }>()
  const running = new Map<BuildPart, number>()
  let [overlap, covered, since] = [0, 0, 0]
  for (const { part, time, change } of boundariesOf(intervals)) {
    const lasted = time - since
    since = time
    const active = activeParts(running)
    for (const one of active) {
      const sum = parts.get(one) ?? { wall: 0, alone: 0 }
      sum.wall += lasted
      if (active.length === 1) sum.alone += lasted
      parts.set(one, sum)
    }
    if (active.length > 0) covered += lasted
    if (active.length > 1) overlap += lasted
    running.set(part, (running.get(part) ?? 0) + change)
  }
  return { parts, overlap, covered }
}

function boundariesOf(intervals: readonly Interval[]): readonly {
  readonly part: BuildPart
  readonly time: number
  readonly change: 1 | -1
}[] {
  return intervals
    .flatMap(({ part, from, to }) => [
      { part, time: from, change: 1 } as const,
      { part, time: Math.max(from, to), change: -1 } as const,
    ])
    .sort((a, b) => a.time - b.time || b.change - a.change)
}

function activeParts(running: ReadonlyMap<BuildPart, number>): readonly BuildPart[] {
  const active = [...running].filter(([, count]) => count > 0).map(([part]) => part)
  return active.filter((part) => !active.some((other) => WAITING_FOR.get(other) === part))
}
