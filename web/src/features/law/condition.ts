/** A condition as the server writes it, `class=conditional, mode=table|file`: every fact with the values that fit. */
export function partsOf(condition: string): { id: string; values: string[] }[] {
  return condition
    .split(', ')
    .filter((part) => part.includes('='))
    .map((part) => {
      const [id = '', values = ''] = part.split('=')
      return { id, values: values.split('|') }
    })
}
