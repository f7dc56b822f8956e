/** A thread that ends in the middle of every task. */
import { serveTasks } from '#builder/threads'

const end = (): never => process.exit(3)

serveTasks({ start: end, launch: end })
