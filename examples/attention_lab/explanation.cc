#include "examples/attention_lab/explanation.h"

#include <array>
#include <utility>

namespace mixtape::attention_lab {
namespace {

struct Entry {
  std::string_view name, formula, rule;
};

constexpr Entry kForward[] = {
    {"X", "X: a row for each token",
     "dX = dX_query + dX_key + dX_value: X is used three times, so three gradients meet"},
    {"memory", "memory: a row for each token that is asked", "dmemory = dX_key + dX_value: it is used twice"},
    {"Wq", "Wq makes questions of tokens", "dWq = dQ' X"},
    {"bq", "bq is added to each question", "dbq = column sums of dQ"},
    {"Wk", "Wk makes what a question is compared with", "dWk = dK' X"},
    {"bk", "bk is added to each key", "dbk = column sums of dK"},
    {"Wv", "Wv makes what is passed on", "dWv = dV' X"},
    {"bv", "bv is added to each value", "dbv = column sums of dV"},
    {"Wo", "Wo mixes the heads", "dWo = dY' joined"},
    {"bo", "bo is added to each result", "dbo = column sums of dY"},
    {"G", "G: the gradient that arrives from above, held fixed", "a constant"},
    {"Q", "Q = X Wq' + bq", "dX_query = dQ Wq, dWq = dQ' X, dbq = column sums of dQ"},
    {"K", "K = X Wk' + bk", "dX_key = dK Wk, dWk = dK' X, dbk = column sums of dK"},
    {"V", "V = X Wv' + bv", "dX_value = dV Wv, dWv = dV' X, dbv = column sums of dV"},
    {"Q_heads", "Q by heads: head h has columns h D to (h + 1) D", "the gradients of the heads, side by side again"},
    {"K_heads", "K by heads", "the gradients of the heads, side by side again"},
    {"V_heads", "V by heads", "the gradients of the heads, side by side again"},
    {"product", "Q K'",
     "a product passes the gradient to both factors, each weighted by the other: dQ = d K, dK = d' Q"},
    {"S", "S = scale Q K', scale = 1 / sqrt(D)", "the same factor again"},
    {"masked", "what a query must not see gets -infinity", "what was hidden gets no gradient"},
    {"A", "A = softmax(S), row by row", "dS = A * (dA - rowsum(dA * A))"},
    {"O", "O = A V", "dA = dO V', dV = A' dO"},
    {"joined", "joined: the heads' O side by side", "each head gets its columns back"},
    {"Y", "Y = joined Wo' + bo", "djoined = dY Wo, dWo = dY' joined, dbo = column sums of dY"},
    {"L", "L = sum(Y * G)", "dY = G"},
};

constexpr Entry kBackward[] = {
    {"dY", "dY = G", "What arrives from above: how the model's loss would change with each number of Y."},
    {"djoined", "djoined = dY Wo",
     "Each output asked for a little more or less; each input of Wo hears it, weighted by Wo."},
    {"dO", "dO: head h gets columns h D to (h + 1) D of djoined",
     "The heads stood side by side, so each takes its part."},
    {"dV", "dV = A' dO", "Value j hears from every query i, as loudly as i looked at j: that is A transposed."},
    {"dA", "dA = dO V'", "A weight should grow if the value it brings goes the way that the output wants."},
    {"dS", "dS = A * (dA - rowsum(dA * A))",
     "A row of A adds up to 1: a weight grows only at the cost of the others, so only what its gradient has over the "
     "row's average counts."},
    {"dmasked", "d masked = A * (dA - rowsum(dA * A))", "The rule of the softmax; what was hidden has A = 0, so 0."},
    {"dproduct", "d(Q K') = scale dS", "The same factor again."},
    {"dQ_heads", "dQ = scale dS K, by heads", "A product passes the gradient to both factors."},
    {"dK_heads", "dK = scale dS' Q, by heads", "A product passes the gradient to both factors."},
    {"dV_heads", "dV = A' dO, by heads", "A product passes the gradient to both factors."},
    {"dQ", "dQ = scale dS K",
     "A score is a product of query and key: the query moves along the keys whose scores should grow."},
    {"dK", "dK = scale dS' Q", "The same for the other factor, so dS is transposed: a key hears from all queries."},
    {"dX_query", "dX_query = dQ Wq", "The first of three ways back to the tokens: as those that ask."},
    {"dX_key", "dX_key = dK Wk", "The second: as those that are compared with."},
    {"dX_value", "dX_value = dV Wv", "The third: as those whose values are mixed."},
    {"dX", "dX = dX_query + dX_key + dX_value", "X was used three times, so it gets the sum of three answers."},
    {"dmemory", "dmemory = dX_key + dX_value", "The memory was used twice, so it gets the sum of two answers."},
    {"dWq", "dWq = dQ' X", "The weight meets every token, so the tokens' answers add up."},
    {"dWk", "dWk = dK' X", "As dWq, with the keys."},
    {"dWv", "dWv = dV' X", "As dWq, with the values."},
    {"dWo", "dWo = dY' joined", "As dWq: the gradient of what came out, times what went in."},
    {"dbq", "dbq = column sums of dQ", "A bias is added to each token."},
    {"dbk", "dbk = column sums of dK",
     "All 0 but for rounding: a key's bias adds the same to every score of a row, and the softmax does not notice."},
    {"dbv", "dbv = column sums of dV", "A bias is added to each token."},
    {"dbo", "dbo = column sums of dY", "A bias is added to each token."},
};

// In cross-attention keys and values come from the memory; without Wo the heads are the result.
constexpr Entry kCross[] = {
    {"X", "X: a row for each token that asks", "dX = dX_query: the tokens only ask here"},
    {"Wk", "Wk makes what a question is compared with", "dWk = dK' memory"},
    {"Wv", "Wv makes what is passed on", "dWv = dV' memory"},
    {"K", "K = memory Wk' + bk", "dX_key = dK Wk, dWk = dK' memory, dbk = column sums of dK"},
    {"V", "V = memory Wv' + bv", "dX_value = dV Wv, dWv = dV' memory, dbv = column sums of dV"},
    {"dX", "dX = dX_query", "The tokens only ask here: keys and values come from the memory."},
    {"dX_key", "dX_key = dK Wk", "The first of two ways back to the memory: as what is compared with."},
    {"dX_value", "dX_value = dV Wv", "The second: as the values that are mixed."},
    {"dWk", "dWk = dK' memory", "As dWq, with the keys."},
    {"dWv", "dWv = dV' memory", "As dWq, with the values."},
};
constexpr Entry kWithoutOutput[] = {
    {"Y", "Y = joined", "djoined = dY"},
    {"djoined", "djoined = dY", "There is no output layer here."},
};

constexpr std::pair<std::string_view, std::string_view> kOps[] = {
    {"watch", "a tensor put on the tape, so that what is computed from it is recorded"},
    {"linear", "Y = X W' + b: dX = dY W, dW = dY' X, db = column sums of dY"},
    {"matmul", "Y = A B: dA = dY B', dB = A' dY"},
    {"reshape", "the same numbers under another shape: dX has the shape of X again"},
    {"transpose", "two axes swapped: dX is dY with them swapped back"},
    {"scale", "Y = c X: dX = c dY"},
    {"where", "the gradient goes to the side that was taken, 0 to the other"},
    {"softmax", "Y = softmax(X): dX = Y * (dY - rowsum(dY * Y))"},
    {"multiply", "Y = A * B: dA = dY * B, dB = dY * A"},
    {"divide", "Y = A / B: dA = dY / B, dB = -dY * A / B^2"},
    {"add", "Y = A + B: dA = dY, dB = dY"},
    {"subtract", "Y = A - B: dA = dY, dB = -dY"},
    {"exp", "Y = exp(X): dX = dY * Y"},
    {"sum", "a sum: each of its terms gets dY"},
    {"broadcast_to", "a number used many times: dX is the sum of dY over its places"},
    {"slice", "a part of X: dX is dY in its place, 0 elsewhere"},
};

template <size_t size>
const Entry* entry_of(const Entry (&entries)[size], std::string_view name) {
  for (const Entry& entry : entries)
    if (entry.name == name) return &entry;
  return nullptr;
}

}  // namespace

Explanation explain(const AttentionLayer& layer, std::string_view name) {
  const Entry* entry = layer.is_cross() ? entry_of(kCross, name) : nullptr;
  if (!entry && !layer.given.contains("Wo")) entry = entry_of(kWithoutOutput, name);
  if (!entry) entry = entry_of(kForward, name);
  if (!entry) entry = entry_of(kBackward, name);
  return entry ? Explanation{std::string(entry->formula), std::string(entry->rule)} : Explanation{};
}

std::string rule_of_op(std::string_view op) {
  for (const auto& [name, rule] : kOps)
    if (name == op) return std::string(rule);
  return {};
}

}  // namespace mixtape::attention_lab
