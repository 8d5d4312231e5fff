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
     "dX = dX_query + dX_key + dX_value: X is used three times, so three gradients are added up"},
    {"memory", "memory: a row for each token that is attended to", "dmemory = dX_key + dX_value: it is used twice"},
    {"Wq", "Wq makes queries of tokens", "dWq = dQ' X"},
    {"bq", "bq is added to each query", "dbq = column sums of dQ"},
    {"Wk", "Wk makes keys of tokens", "dWk = dK' X"},
    {"bk", "bk is added to each key", "dbk = column sums of dK"},
    {"Wv", "Wv makes values of tokens", "dWv = dV' X"},
    {"bv", "bv is added to each value", "dbv = column sums of dV"},
    {"Wo", "Wo mixes the heads", "dWo = dY' joined"},
    {"bo", "bo is added to each result", "dbo = column sums of dY"},
    {"G", "G: the gradient from the layers above, a constant", "a constant"},
    {"Q", "Q = X Wq' + bq", "dX_query = dQ Wq, dWq = dQ' X, dbq = column sums of dQ"},
    {"K", "K = X Wk' + bk", "dX_key = dK Wk, dWk = dK' X, dbk = column sums of dK"},
    {"V", "V = X Wv' + bv", "dX_value = dV Wv, dWv = dV' X, dbv = column sums of dV"},
    {"Q_heads", "Q by heads: head h has columns h D to (h + 1) D", "the gradients of the heads, concatenated"},
    {"K_heads", "K by heads", "the gradients of the heads, concatenated"},
    {"V_heads", "V by heads", "the gradients of the heads, concatenated"},
    {"product", "Q K'",
     "a product passes the gradient to both operands, each multiplied by the other: dQ = d K, dK = d' Q"},
    {"S", "S = scale Q K', scale = 1 / sqrt(D)", "the gradient has the same factor"},
    {"masked", "what a query must not see gets -infinity", "hidden scores get no gradient"},
    {"A", "A = softmax(S), row by row", "dS = A * (dA - rowsum(dA * A))"},
    {"O", "O = A V", "dA = dO V', dV = A' dO"},
    {"joined", "joined: O of all heads, concatenated", "each head gets the gradient of its columns"},
    {"Y", "Y = joined Wo' + bo", "djoined = dY Wo, dWo = dY' joined, dbo = column sums of dY"},
    {"L", "L = sum(Y * G)", "dY = G"},
};

constexpr Entry kBackward[] = {
    {"dY", "dY = G", "From the layers above: how the loss of the model changes with each number of Y."},
    {"djoined", "djoined = dY Wo",
     "A linear layer: each of its inputs gets the gradients of the outputs, weighted by Wo."},
    {"dO", "dO: head h gets columns h D to (h + 1) D of djoined",
     "The heads were concatenated, so each gets the gradient of its columns."},
    {"dV", "dV = A' dO",
     "Value j entered the output of query i with weight A[i, j], so it gets dO of i with that weight: A transposed."},
    {"dA", "dA = dO V'", "The gradient of weight A[i, j] is the dot product of dO of query i and value j."},
    {"dS", "dS = A * (dA - rowsum(dA * A))",
     "A row of A sums to 1: a weight grows only if others shrink, so only the difference of its gradient from the "
     "weighted mean of the row matters."},
    {"dmasked", "d masked = A * (dA - rowsum(dA * A))", "The rule of the softmax; hidden keys have A = 0, so 0."},
    {"dproduct", "d(Q K') = scale dS", "The gradient has the same factor."},
    {"dQ_heads", "dQ = scale dS K, by heads", "A product passes the gradient to both operands."},
    {"dK_heads", "dK = scale dS' Q, by heads", "A product passes the gradient to both operands."},
    {"dV_heads", "dV = A' dO, by heads", "A product passes the gradient to both operands."},
    {"dQ", "dQ = scale dS K",
     "A score is a product of query and key, so the gradient of a query is a sum of keys, weighted by dS."},
    {"dK", "dK = scale dS' Q",
     "The same for the other operand, so dS is transposed: a key gets gradients from all queries."},
    {"dX_query", "dX_query = dQ Wq", "The first of three branches back to the tokens: through the queries."},
    {"dX_key", "dX_key = dK Wk", "The second: through the keys."},
    {"dX_value", "dX_value = dV Wv", "The third: through the values."},
    {"dX", "dX = dX_query + dX_key + dX_value", "X is used three times, so it gets the sum of three gradients."},
    {"dmemory", "dmemory = dX_key + dX_value", "The memory is used twice, so it gets the sum of two gradients."},
    {"dWq", "dWq = dQ' X", "The weight is applied to every token, so the gradients of all tokens are added up."},
    {"dWk", "dWk = dK' X", "As dWq, with the keys."},
    {"dWv", "dWv = dV' X", "As dWq, with the values."},
    {"dWo", "dWo = dY' joined", "As dWq: the gradient of the output times the input."},
    {"dbq", "dbq = column sums of dQ", "A bias is added to each token."},
    {"dbk", "dbk = column sums of dK",
     "0 up to rounding: the bias of the keys adds the same number to every score of a row, which does not change the "
     "softmax."},
    {"dbv", "dbv = column sums of dV", "A bias is added to each token."},
    {"dbo", "dbo = column sums of dY", "A bias is added to each token."},
};

// In cross-attention, keys and values come from the memory; without Wo, the heads are the result.
constexpr Entry kCross[] = {
    {"X", "X: a row for each token of the queries", "dX = dX_query: here X is used for queries only"},
    {"Wk", "Wk makes keys of tokens", "dWk = dK' memory"},
    {"Wv", "Wv makes values of tokens", "dWv = dV' memory"},
    {"K", "K = memory Wk' + bk", "dX_key = dK Wk, dWk = dK' memory, dbk = column sums of dK"},
    {"V", "V = memory Wv' + bv", "dX_value = dV Wv, dWv = dV' memory, dbv = column sums of dV"},
    {"dX", "dX = dX_query", "Here X is used for queries only: keys and values come from the memory."},
    {"dX_key", "dX_key = dK Wk", "The first of two branches back to the memory: through the keys."},
    {"dX_value", "dX_value = dV Wv", "The second: through the values."},
    {"dWk", "dWk = dK' memory", "As dWq, with the keys."},
    {"dWv", "dWv = dV' memory", "As dWq, with the values."},
};
constexpr Entry kWithoutOutput[] = {
    {"Y", "Y = joined", "djoined = dY"},
    {"djoined", "djoined = dY", "There is no output layer here."},
};

constexpr std::pair<std::string_view, std::string_view> kOps[] = {
    {"watch", "puts a tensor on the tape, so that ops on it are recorded"},
    {"linear", "Y = X W' + b: dX = dY W, dW = dY' X, db = column sums of dY"},
    {"matmul", "Y = A B: dA = dY B', dB = A' dY"},
    {"reshape", "the same numbers in another shape: dX has the shape of X"},
    {"transpose", "swaps two axes: dX is dY with the axes swapped back"},
    {"scale", "Y = c X: dX = c dY"},
    {"where", "the gradient goes to the selected operand, 0 to the other"},
    {"softmax", "Y = softmax(X): dX = Y * (dY - rowsum(dY * Y))"},
    {"multiply", "Y = A * B: dA = dY * B, dB = dY * A"},
    {"divide", "Y = A / B: dA = dY / B, dB = -dY * A / B^2"},
    {"add", "Y = A + B: dA = dY, dB = dY"},
    {"subtract", "Y = A - B: dA = dY, dB = -dY"},
    {"exp", "Y = exp(X): dX = dY * Y"},
    {"sum", "a sum: each of its terms gets dY"},
    {"broadcast_to", "copies a number: dX is the sum of dY over the copies"},
    {"slice", "a part of X: dX is dY there, 0 elsewhere"},
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
