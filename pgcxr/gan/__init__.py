"""The Progressive GAN in training: schedule, optimizer, steps, logs, and state that goes on."""
