/** Which share of the farm a team gets while all teams want it. */
export function shareOf(weight: number, all: readonly { weight: number }[]): number {
  const sum = all.reduce((total, one) => total + one.weight, 0);
  return sum > 0 ? weight / sum : 0;
}

/** `44 %`, and `< 1 %` for what rounds to nothing. */
export function percent(share: number): string {
  return share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(share * 100)} %`;
}
