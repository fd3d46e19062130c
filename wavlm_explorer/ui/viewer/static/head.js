// One head put together in the page: as the model has it, and as it would be if something were different.

import {
  AS_THE_MODEL, attend, chosenGate, createStageArrays, differences, gather, handOn, isTheModel, reaches, takeApart,
} from "./terms.js";

// {terms, model, other, pinned, sizes} of what the server sent; the arrays of the last head serve again if they fit.
export function putTogether(data, last) {
  const terms = takeApart(data), { size, width } = terms;
  const fits = last && last.terms.size === size && last.terms.width === width;
  const model = fits ? last.model : createStageArrays(size, width), other = fits ? last.other : null;
  attend(terms, AS_THE_MODEL, model);
  gather(terms, model.weights, model.output);
  handOn(terms, model.output, terms.mean);
  return { terms, model, other, pinned: reaches(terms, model), sizes: differences(terms, model) };
}

// The same head with {choice, gates, now}: `now` is what is drawn, the model's own arrays unless something is switched.
export function switchTo(head, choice) {
  const { terms, model } = head, gates = chosenGate(terms, choice);
  if (isTheModel(choice)) return { ...head, choice, gates, now: model };
  const other = head.other ?? createStageArrays(terms.size, terms.width);
  attend(terms, choice, other);
  gather(terms, other.weights, other.output);
  handOn(terms, other.output);
  return { ...head, other, choice, gates, now: other };
}
