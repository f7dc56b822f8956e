import type { ContainerState } from '#engine/model'
import { NO_TIME } from '#engine/model'

/** `Up 3 seconds (healthy)`, as `docker ps` shows it. @param health its state where it is tested */
export function describeStatus(
  { status, exitCode, startedAt, finishedAt }: ContainerState,
  health: string | undefined,
): string {
  switch (status) {
    case 'running':
    case 'paused': {
      const up = `Up ${describeDuration(Date.now() - Date.parse(startedAt))}`
      if (status === 'paused') return `${up} (Paused)`
      if (health === undefined) return up
      return `${up} (${health === 'starting' ? 'health: starting' : health})`
    }
    case 'restarting':
      return `Restarting (${exitCode}) ${since(finishedAt)} ago`
    case 'removing':
      return 'Removal In Progress'
    case 'dead':
      return 'Dead'
    case 'created':
      return 'Created'
    case 'exited':
      return finishedAt === NO_TIME ? 'Created' : `Exited (${exitCode}) ${since(finishedAt)} ago`
  }
}

function since(time: string): string {
  return describeDuration(Date.now() - Date.parse(time))
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A time span as docker's tables write it. @param span milliseconds */
function describeDuration(span: number): string {
  if (span < SECOND) return 'Less than a second'
  if (span < 2 * SECOND) return '1 second'
  if (span < MINUTE) return `${Math.floor(span / SECOND)} seconds`
  if (span < 2 * MINUTE) return 'About a minute'
  if (span < HOUR) return `${Math.floor(span / MINUTE)} minutes`
  if (Math.round(span / HOUR) === 1) return 'About an hour'
  if (span < 2 * DAY) return `${Math.round(span / HOUR)} hours`
  if (span < 14 * DAY) return `${Math.floor(span / DAY)} days`
  if (span < 60 * DAY) return `${Math.floor(span / DAY / 7)} weeks`
  if (span < 730 * DAY) return `${Math.floor(span / DAY / 30)} months`
  return `${Math.floor(span / DAY / 365)} years`
}
