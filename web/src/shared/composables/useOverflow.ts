import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** Whether the content of an element is wider than the element. */
export function useOverflow(element: Readonly<Ref<HTMLElement | null>>): Readonly<Ref<boolean>> {
  const overflows = ref(false)
  const observer = new ResizeObserver(() => {
    const box = element.value
    overflows.value = box !== null && box.scrollWidth > box.clientWidth
  })
  onMounted(() => {
    if (element.value) observer.observe(element.value)
    if (element.value?.firstElementChild) observer.observe(element.value.firstElementChild)
  })
  onBeforeUnmount(() => observer.disconnect())
  return overflows
}
