import type { CommandAssignment, Doubt } from './command-line.ts';
import { isHarmlessAssignment } from './environment.ts';

/** Convention C5. */
export function assignmentDoubts(assignment: CommandAssignment): readonly Doubt[] {
  const { name, value } = assignment;
  if (value !== null && value.shape === 'static' && isHarmlessAssignment(name, value.text)) return [];
  const harmlessName = isHarmlessAssignment(name, '') && value !== null && value.shape !== 'static';
  return [
    {
      effect: harmlessName ? 'confirm' : 'deny',
      code: 'COMMAND_ENVIRONMENT',
      about: 'sets a variable that is not known to be harmless',
      word: name,
    },
  ];
}
