/** Which teams a person joins and leaves when these become theirs. */
export function changesOf(before: readonly string[], after: readonly string[]): { join: string[]; leave: string[] } {
  return { join: after.filter((team) => !before.includes(team)), leave: before.filter((team) => !after.includes(team)) };
}
