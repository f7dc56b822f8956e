import { run } from '../../test/support/peers/index.ts'

/** What is timed by turns with others. */
export interface Participant {
  readonly name: string
  /** Before every turn, not timed. @param turn another number for each turn of any participant */
  before?(turn: number): Promise<void>
  perform(): Promise<void>
}

/** Milliseconds of every round, by the name of the participant. */
export type Samples = ReadonlyMap<string, readonly number[]>

/**
 * Times every participant once a round, so that a slow minute of the machine falls on all of them. What
 * was written before is on the disk when the clock starts.
 */
export async function takeTurns(
  participants: readonly Participant[],
  rounds: number,
): Promise<Samples> {
  const samples = new Map(participants.map(({ name }) => [name, [] as number[]]))
  let turn = 0
  for (let round = 0; round < rounds; round += 1) {
    for (const participant of participants) {
      await participant.before?.(turn)
      turn += 1
      await run('sync', [])
      const began = performance.now()
      await participant.perform()
      samples.get(participant.name)?.push(performance.now() - began)
    }
  }
  return samples
}
