/** Copy a text, also on a page that came without TLS from another machine: browsers give it no clipboard of its own. */
export async function copyText(text: string, within: HTMLElement): Promise<void> {
  if ((navigator as Partial<Navigator>).clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement('textarea');
  field.value = text;
  within.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (!isCopied) throw new Error('the browser does not let this page copy.');
}
