"""RNN, LSTM and GRU measured side by side: accuracy and cost, speed, vanishing gradients, delayed recall."""
