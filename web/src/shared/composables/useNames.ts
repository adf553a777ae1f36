import { useI18n } from 'vue-i18n'

/** Names for codes that the server gives without one. A code we know no name for is shown as it is. */
export function useNames() {
  const { t, te } = useI18n()
  return (family: string, code: string): string => (te(`${family}.${code}`) ? t(`${family}.${code}`) : code)
}
