import type { RunningProcess } from '#builder/sandbox'
import type { Probe } from './health.ts'
import { Streams } from './streams.ts'

/** Runs a test beside the program of a container. */
export async function probe(
  spec: Parameters<RunningProcess['exec']>[0],
  {
    process: running,
    signal,
    mostOutput,
  }: Parameters<Probe>[1] & { readonly process: RunningProcess },
): ReturnType<Probe> {
  await using process = await running.exec(spec, { signal, stdin: 'empty' })
  const output = new Beginning(mostOutput)
  const exitCode = await new Streams().serve(process, (_, data) => output.add(data))
  return { exitCode, output: output.text() }
}

/** The first bytes of several streams in one. */
class Beginning {
  readonly #most: number
  readonly #chunks: Uint8Array[] = []
  #size = 0

  constructor(most: number) {
    this.#most = most
  }

  add(chunk: Uint8Array): void {
    const part = chunk.subarray(0, this.#most - this.#size)
    this.#size += part.length
    if (part.length > 0) this.#chunks.push(part)
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString()
  }
}
