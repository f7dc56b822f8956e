export type { Command } from './commands/command.ts'
export { COMMANDS } from './commands/commands.ts'
export { commandHelp, programHelp } from './commands/help-text.ts'
export { main } from './main.ts'
