import { watch, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { usePlatform } from '@/shared/platform'

/** Names the browser tab after the thing on the page, as soon as its name is known. */
export function usePageTitle(name: Readonly<Ref<string | undefined>>): void {
  const { platform } = usePlatform()
  const { t } = useI18n()
  watch(
    [name, platform],
    ([thing, installation]) => {
      if (thing) document.title = t('shared.page_title', { thing, installation: installation?.name ?? '' })
    },
    { immediate: true },
  )
}
