import type { Delivery, Order, Way } from './way.ts'

/** The package as it is published: the worker threads of its bundle start in half the time. */
const { build, TsbuildError }: typeof import('#builder') = await import(
  import.meta.resolve('tsbuild')
)

/** @param changed options that every build has */
export function inThisProcess(changed: Partial<Order> = {}): Way {
  return {
    build: (order) => deliver({ ...order, ...changed }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Builds; a refusal is an answer, another failure is thrown. */
export async function deliver(order: Order): Promise<Delivery> {
  try {
    const { digest = '' } = await build(order)
    return { digest }
  } catch (error) {
    if (error instanceof TsbuildError) return { refused: error.message }
    throw error
  }
}
