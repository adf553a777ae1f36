/** Which greeting fits the server's time in China. */
export function greeting(now: string): 'morning' | 'afternoon' | 'evening' {
  const hour = (new Date(now).getUTCHours() + 8) % 24
  if (hour >= 5 && hour < 12) return 'morning'
  return hour >= 12 && hour < 18 ? 'afternoon' : 'evening'
}
