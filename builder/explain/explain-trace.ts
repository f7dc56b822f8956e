import type { ExplainStore } from './explainer.ts'
import type { BuildExplanation } from './report/explanation.ts'
import type { Trace } from './trace/trace.ts'

/**
 * Why steps of a build ran: what differs from the nearest earlier results. What that takes is loaded with the
 * first call.
 * @param ids of the steps that are asked for; default: those that ran
 */
export async function explainTrace(
  trace: Trace,
  store: ExplainStore,
  ids?: ReadonlySet<string>,
): Promise<BuildExplanation> {
  const { Explainer } = await import('./explainer.ts')
  return await new Explainer(trace, store).explain(ids)
}
